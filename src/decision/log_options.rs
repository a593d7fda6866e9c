//! Which values the options of the local log drivers may have: the daemon runs some of them, and keeps what others say.

/// The options of the drivers that log locally, each with what its value may be.
const OPTIONS: &[(&str, Value)] = &[
    ("compress", Value::Short),
    ("env", Value::Short),
    ("env-regex", Value::Short),
    ("labels", Value::Short),
    ("labels-regex", Value::Short),
    ("max-buffer-size", Value::Size(1, MOST_BUFFERED)),
    ("max-file", Value::Count(MOST_FILES)),
    ("max-size", Value::Size(SMALLEST_FILE, u64::MAX)),
    ("mode", Value::Short),
    ("tag", Value::Tag),
];

/// What may stand in the value of an option.
#[derive(Debug, Clone, Copy)]
enum Value {
    /// What the driver checks itself.
    Short,
    /// Bytes, with or without a unit, from the first to the last.
    Size(u64, u64),
    /// A number from 1 on.
    Count(u64),
    Tag,
}

/// The longest value, in bytes: expressions are compiled, and what a tag comes to stands in every line of a log.
const LONGEST: usize = 1024;
/// What the daemon would hold in memory for one container.
const MOST_BUFFERED: u64 = 64 << 20;
/// Files are renamed one by one whenever the newest is full.
const MOST_FILES: u64 = 1000;
const SMALLEST_FILE: u64 = 4096;

/// The actions that a tag may have: what the client knows of its container. Others show the host's name and paths.
///
/// moby: daemon/logger/loginfo.go.
const ACTIONS: &[&str] = &[
    ".DaemonName",
    ".FullID",
    ".ID",
    ".ImageFullID",
    ".ImageID",
    ".ImageName",
    ".Name",
];

/// Why the option is refused; an empty value is left to the driver.
pub(super) fn fault(option: &str, value: &str) -> Option<String> {
    let Some((_, kind)) = OPTIONS.iter().find(|(name, _)| *name == option) else {
        return Some("no option of the drivers that log locally".to_owned());
    };
    if value.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} bytes"));
    }
    match *kind {
        _ if value.is_empty() => None,
        Value::Short => None,
        Value::Size(least, most) => {
            let fits = size(value).is_some_and(|bytes| (least..=most).contains(&bytes));
            (!fits).then(|| format!("it is no size {}", range(least, most)))
        }
        Value::Count(most) => {
            let fits = number(value).is_some_and(|count| (1..=most).contains(&count));
            (!fits).then(|| format!("it is no number from 1 to {most}"))
        }
        Value::Tag => (!is_plain_tag(value)).then(|| {
            let actions: Vec<String> = ACTIONS
                .iter()
                .map(|name| format!("{{{{{name}}}}}"))
                .collect();
            let actions = actions.join(", ");
            format!("the daemon runs it as a template, and it has more than text and {actions}")
        }),
    }
}

fn range(least: u64, most: u64) -> String {
    if most == u64::MAX {
        format!("of {least} bytes and more")
    } else {
        format!("up to {most} bytes")
    }
}

/// Whether the template is nothing but text and fields of the container.
fn is_plain_tag(tag: &str) -> bool {
    let mut parts = tag.split("{{");
    parts.next();
    parts.all(|part| {
        let action = part.split_once("}}").map(|(action, _)| action);
        action.is_some_and(|action| ACTIONS.contains(&action.trim_matches(' ')))
    })
}

/// `NUMBER[UNIT]`, where units are powers of 1000 or 1024 and no more precise than that.
///
/// github.com/docker/go-units, size.go.
fn size(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(digits)?;
    let fraction = rest.strip_prefix('.').map_or(rest, |rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    let unit = fraction.strip_prefix(' ').unwrap_or(fraction);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    };
    // A fraction counts as the next whole number, so that none goes over a bound.
    let more = u64::from(fraction.len() < rest.len());
    number(digits)?.checked_add(more)?.checked_mul(factor)
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_permitted(option: &str, value: &str) -> bool {
        fault(option, value).is_none()
    }

    #[test]
    fn a_tag_is_text_and_fields_of_the_container() {
        for tag in [
            "",
            "web",
            "{{.Name}}/{{.ID}}",
            "{{ .ImageName }}|{{.ImageFullID}} {{.FullID}}",
            "docker/{{.DaemonName}}",
            "a } b }} c { d",
        ] {
            assert!(is_permitted("tag", tag), "{tag}");
        }
        for tag in [
            r#"{{pad "x" 1099511627776 0}}"#,
            r#"{{printf "%2147483647d" 1}}"#,
            "{{range .ContainerEnv}}{{end}}",
            "{{.Hostname}}",
            "{{.LogPath}}",
            "{{.Command}}",
            "{{.ContainerEnv}}",
            "{{.Name | json}}",
            "{{.Name}}{{",
            "{{{.Name}}",
            "{{- .Name -}}",
            "{{/* */}}",
            "{{template \"log-tag\"}}",
            "{{.Name\n}}",
            "{{}}",
        ] {
            assert!(!is_permitted("tag", tag), "{tag}");
        }
        assert!(!is_permitted("tag", &"{{.Name}}".repeat(200)));
    }

    #[test]
    fn sizes_and_numbers_have_bounds() {
        for (option, value) in [
            ("max-size", "10m"),
            ("max-size", "4k"),
            ("max-size", "1.5 GB"),
            ("max-size", "200000"),
            ("max-file", "3"),
            ("max-file", "1000"),
            ("max-buffer-size", "64m"),
            ("max-buffer-size", "1MiB"),
            ("mode", "non-blocking"),
            ("compress", "true"),
            ("env-regex", "^(os|customer)"),
        ] {
            assert!(is_permitted(option, value), "{option}={value}");
        }
        for (option, value) in [
            ("max-size", "1k"),
            ("max-size", "0"),
            ("max-size", "-1"),
            ("max-size", "1e9"),
            ("max-size", "99999999999999999999"),
            ("max-size", "18014398509481985k"),
            ("max-file", "1001"),
            ("max-file", "0"),
            ("max-file", "+3"),
            ("max-file", "2147483647"),
            ("max-buffer-size", "1t"),
            ("max-buffer-size", "64.1m"),
            ("max-buffer-size", "0"),
            ("path", "/etc"),
        ] {
            assert!(!is_permitted(option, value), "{option}={value}");
        }
        assert!(!is_permitted("labels-regex", &"(".repeat(LONGEST + 1)));
    }
}
