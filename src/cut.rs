//! Texts cut at a byte of ASCII, which for texts as short as those of a request is faster than at a character.

/// What stands before the first `at` and after it; `at` is ASCII.
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// What stands between the `at`s: one piece more than there are of these; `at` is ASCII.
pub(crate) fn pieces(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let (piece, after) = match cut(whole, at) {
            Some((piece, after)) => (piece, Some(after)),
            None => (whole, None),
        };
        rest = after;
        Some(piece)
    })
}

/// Whether all bytes are such; none is skipped, which is faster for short texts than to stop at the first that is not.
pub(crate) fn every(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |are, byte| are & is_such(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_as_the_library_does() {
        for text in ["", "/", "a", "a/b", "/a//b/", "\u{e9}/\u{e9}", "//"] {
            assert_eq!(cut(text, b'/'), text.split_once('/'), "{text}");
            assert!(pieces(text, b'/').eq(text.split('/')), "{text}");
        }
    }
}
