//! Numbers in decimal, without the machinery of formatting: heads, bodies and records are full of them.

/// A number as it is written, in ASCII digits.
#[derive(Debug)]
pub(crate) struct Decimal {
    digits: [u8; MOST_DIGITS],
    start: usize,
}

impl Decimal {
    pub(crate) fn of(number: u64) -> Self {
        let mut digits = [b'0'; MOST_DIGITS];
        let mut start = MOST_DIGITS;
        let mut rest = number;
        for place in digits.iter_mut().rev() {
            let [digit, ..] = (rest % 10).to_le_bytes();
            *place = b'0' | digit;
            start -= 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        // INVARIANT: only ASCII is written.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// Of the largest number of 64 bits.
const MOST_DIGITS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_formatting_writes() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        for number in powers
            .flat_map(|power| [power - 1, power, power + 1])
            .chain([u64::MAX])
        {
            assert_eq!(Decimal::of(number).as_str(), number.to_string());
        }
    }
}
