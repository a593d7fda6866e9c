//! What stands in an answer in place of a value that a policy hides, and so in a request that was made of such an answer.

use memchr::{memchr2, memmem};

/// What stands in place of a hidden value; a request that carries it is refused, whatever the policy.
pub const HIDDEN: &str = "<hidden by dockgate>";
/// The same where bytes stand in base64.
pub const HIDDEN_BYTES: &str = "PGhpZGRlbiBieSBkb2NrZ2F0ZT4=";

/// Whether a text in this JSON could hold one of them: `false` is certain, since every escape is taken for it.
pub(super) fn may_stand_in(json: &[u8]) -> bool {
    memchr2(b'<', b'\\', json).is_some() || memmem::find(json, HIDDEN_BYTES.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_it_is_missed() {
        let escaped = |text: &str| -> String {
            let unit = |unit: u16| format!("\\u{unit:04x}");
            text.encode_utf16().map(unit).collect()
        };
        for word in [HIDDEN, HIDDEN_BYTES] {
            let (begin, end) = word.split_at(5);
            for text in [
                word.to_owned(),
                format!("a{word}b"),
                escaped(word),
                format!("{}{end}", escaped(begin)),
                format!("{begin}{}", escaped(end)),
            ] {
                assert!(may_stand_in(format!("[\"{text}\"]").as_bytes()), "{text}");
                assert!(
                    may_stand_in(format!("{{\"{text}\":1}}").as_bytes()),
                    "{text}"
                );
            }
        }
        assert!(!may_stand_in(
            br#"{"Env":["A=hidden by dockgate","B=PGhp"]}"#
        ));
    }
}
