//! The little of a request's head that the engine reads.

/// Where a head ends, and how many bytes of body follow.
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) body: u64,
}

impl Head {
    /// Finds a whole head at the beginning of what has come.
    pub(super) fn find(input: &[u8]) -> Option<Self> {
        let length = input.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let head = &input[..length];
        // Gates write this name in either case.
        let name = b"ontent-length: ";
        let lower = |byte: &u8| byte.to_ascii_lowercase();
        let at = head
            .windows(name.len())
            .position(|text| text.iter().map(lower).eq(name.iter().copied()));
        let body = at.map_or(0, |at| {
            let digits = head[at + name.len()..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
        });
        Self { length, body }.into()
    }
}
