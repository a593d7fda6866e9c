//! `changes` of a commit or import: lines of a Dockerfile, which must leave the owner's label as the gate writes it.

use crate::engine_api::OWNER_LABEL;

/// Whether the line is one instruction by itself, and no label that could be read as the owner's.
///
/// moby: daemon/builder/dockerfile, `BuildFromConfig` joins all lines and parses them as one file.
///
/// # Errors
/// Why not.
pub(super) fn check(line: &str) -> Result<(), &'static str> {
    let text = line.trim();
    if text.is_empty() {
        return Ok(());
    }
    if line.contains(char::is_control) || text.ends_with(['\\', '`']) {
        return Err("it runs on into the next line");
    }
    let word = text.split_whitespace().next().unwrap_or_default();
    if !word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err("it begins with no instruction");
    }
    // The owner's line would be text of the document, and could even be what ends it.
    if word.eq_ignore_ascii_case("ONBUILD") && text.contains("<<") {
        return Err("a here-document runs on into the next line");
    }
    if !word.eq_ignore_ascii_case("LABEL") {
        return Ok(());
    }
    let rest = text.get(word.len()..).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-=/:,+@".contains(&byte);
    if !rest.bytes().all(is_plain) {
        return Err("with an owner, a label is written here without quotes, escapes and variables");
    }
    if rest.contains(OWNER_LABEL) {
        return Err("only the gate writes it");
    }
    Ok(())
}

/// The line that gives an image to its owner; after all others, so that it counts.
pub(super) fn owner_line(owner: &str) -> String {
    let mut line = format!("LABEL {OWNER_LABEL}=\"");
    for c in owner.chars() {
        if matches!(c, '"' | '\\' | '$') {
            line.push('\\');
        }
        line.push(c);
    }
    line.push('"');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_could_touch_the_label_are_refused() {
        for good in [
            "",
            "CMD [\"sh\", \"-c\", \"echo $X \\\\\"]",
            "ENV A=b",
            "label a=b c=d",
            "LABEL org.example/version=1.0",
            "ONBUILD RUN true",
            "CMD cat <<EOF",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "LABEL dockgate.owner=other",
            "label x=1 dockgate.owner=other",
            "LABEL \"dockgate\\.owner\"=other",
            "LABEL dockgate.$X=other",
            "LABEL a=\"b c\"",
            "ENV A=b \\",
            "ENV A=b \\ ",
            "ENV A=b `",
            "LAB\\",
            "# escape=`",
            "ENV A=b\nLABEL dockgate.owner=other",
            "\u{feff}LABEL a=b",
            "onbuild RUN <<'LABEL dockgate.owner=\"ci\"'",
            "ONBUILD COPY <<-EOF /x",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_owner_of_any_name_is_one_word() {
        assert_eq!(owner_line("ci"), "LABEL dockgate.owner=\"ci\"");
        assert_eq!(
            owner_line("a \"$b\\"),
            "LABEL dockgate.owner=\"a \\\"\\$b\\\\\""
        );
    }
}
