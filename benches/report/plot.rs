//! Processor time per request as bars, one group for each workload.

use std::fmt::Write as _;

use crate::results::{Line, Results};

/// An SVG of the requests over Unix sockets on ten connections; colours that show on light and dark pages.
pub(crate) fn draw(results: &Results) -> String {
    let shown = |line: &&Line| {
        line.transport == "unix"
            && line.connections == 10
            && line.what != "list 200 KiB"
            && line.kind != "direct"
    };
    let lines: Vec<&Line> = results.lines.iter().filter(shown).collect();
    let most = lines.iter().map(|line| line.cpu.median).fold(1.0, f64::max);
    let mut bars = String::new();
    let (mut y, mut group) = (20, "");
    for line in &lines {
        if line.what != group {
            group = &line.what;
            y += GAP;
            let _ = writeln!(
                bars,
                r#"<text x="0" y="{}" class="group">{group}</text>"#,
                y + 11
            );
        }
        let width = line.cpu.median / most * f64::from(WIDEST);
        let _ = writeln!(
            bars,
            r#"<text x="{}" y="{}" class="name">{}</text><rect x="{LEFT}" y="{y}" width="{width:.1}" height="12" class="{}"/><text x="{:.1}" y="{}">{:.1}</text>"#,
            LEFT - 6,
            y + 10,
            line.contender,
            line.kind,
            f64::from(LEFT) + width + 5.0,
            y + 10,
            line.cpu.median,
        );
        y += 15;
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {}" font-family="sans-serif" font-size="11">
<style>text {{ fill: #777 }} .group {{ font-weight: bold }} .name {{ text-anchor: end }} .gate {{ fill: #2a7de1 }} .proxy {{ fill: #d98c2b }} .floor {{ fill: #999 }} .other {{ fill: #8a5fb0 }}</style>
<text x="0" y="14" font-size="13">Processor time of the gate or proxy alone, µs per request (10 connections, Unix sockets)</text>
{bars}</svg>
"#,
        y + 10
    )
}

const LEFT: i32 = 240;
const WIDEST: i32 = 460;
const GAP: i32 = 8;
