//! What the values of a field can be of an expression, as far as its form shows it: their letters and their lengths.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// How many letters the texts have that an expression stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Lengths {
    pub(super) least: usize,
    /// `None` where there is no end.
    pub(super) most: Option<usize>,
}

impl Lengths {
    const NONE: Self = Self::exactly(0);

    const fn exactly(length: usize) -> Self {
        Self {
            least: length,
            most: Some(length),
        }
    }

    fn then(self, next: Self) -> Self {
        let most = self.most.zip(next.most);
        Self {
            least: self.least.saturating_add(next.least),
            most: most.map(|(one, other)| one.saturating_add(other)),
        }
    }

    fn or(self, other: Self) -> Self {
        let most = self.most.zip(other.most);
        Self {
            least: self.least.min(other.least),
            most: most.map(|(one, other)| one.max(other)),
        }
    }

    fn repeated(self, least: u32, most: Option<u32>) -> Self {
        let times = |length: usize, count: u32| length.saturating_mul(count as usize);
        let longest = match (self.most, most) {
            (Some(0), _) => Some(0),
            (Some(length), Some(count)) => Some(times(length, count)),
            (None, _) | (_, None) => None,
        };
        Self {
            least: times(self.least, least),
            most: longest,
        }
    }

    /// Whether a text that is not empty is among them.
    pub(super) fn may_be_any(self) -> bool {
        self.most != Some(0)
    }

    /// Whether a text of so many letters is among them, for all that is known.
    pub(super) fn may_be(self, length: usize) -> bool {
        self.least <= length && self.most.is_none_or(|most| length <= most)
    }
}

/// The lengths of the texts of these letters that an expression stands for; `None` where there is no such text.
pub(super) fn lengths(expression: &str, letters: &[(char, char)]) -> Option<Lengths> {
    let Ok(form) = regex_syntax::parse(expression) else {
        // It was compiled, so this is about the limits of either.
        return Some(Lengths {
            least: 0,
            most: None,
        });
    };
    let letters = letters
        .iter()
        .map(|(first, last)| ClassUnicodeRange::new(*first, *last));
    of(&form, &ClassUnicode::new(letters))
}

fn of(form: &Hir, letters: &ClassUnicode) -> Option<Lengths> {
    match form.kind() {
        // What is looked at beside a letter is not looked at here: it can only make less of it.
        HirKind::Empty | HirKind::Look(_) => Some(Lengths::NONE),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            let is_one = |letter: char| {
                let mut ranges = letters.ranges().iter();
                ranges.any(|range| (range.start()..=range.end()).contains(&letter))
            };
            let length = text.chars().count();
            text.chars().all(is_one).then(|| Lengths::exactly(length))
        }
        HirKind::Class(class) => {
            let mut class = match class {
                Class::Unicode(class) => class.clone(),
                Class::Bytes(class) => class.to_unicode_class()?,
            };
            class.intersect(letters);
            (!class.ranges().is_empty()).then(|| Lengths::exactly(1))
        }
        HirKind::Repetition(repetition) => match of(&repetition.sub, letters) {
            Some(lengths) => Some(lengths.repeated(repetition.min, repetition.max)),
            None => (repetition.min == 0).then_some(Lengths::NONE),
        },
        HirKind::Capture(capture) => of(&capture.sub, letters),
        HirKind::Concat(parts) => parts.iter().try_fold(Lengths::NONE, |before, part| {
            Some(before.then(of(part, letters)?))
        }),
        HirKind::Alternation(ways) => {
            let ways = ways.iter().filter_map(|way| of(way, letters));
            ways.reduce(Lengths::or)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEXADECIMAL: [(char, char); 2] = [('0', '9'), ('a', 'f')];

    #[test]
    fn letters_and_lengths_are_those_of_what_it_stands_for() {
        let bounds = |least, most| Some(Lengths { least, most });
        for (expression, expected) in [
            ("", bounds(0, Some(0))),
            ("ab", bounds(2, Some(2))),
            ("^ab$", bounds(2, Some(2))),
            ("AB", None),
            ("(?i)AB", bounds(2, Some(2))),
            ("ab:cd", None),
            ("ab|cdef|x", bounds(2, Some(4))),
            ("x|y", None),
            ("[x-z]*a", bounds(1, Some(1))),
            ("[a-z]{3}", bounds(3, Some(3))),
            ("(?:[0-9a-f]{2}:?)+", bounds(2, None)),
            (".{60,}", bounds(60, None)),
            ("(a{2}){3,4}", bounds(6, Some(8))),
            ("[[:upper:]]", None),
        ] {
            assert_eq!(lengths(expression, &HEXADECIMAL), expected, "{expression}");
        }
        let six_and_more = lengths("a{6,}", &HEXADECIMAL).unwrap();
        assert!(six_and_more.may_be(64) && !six_and_more.may_be(5));
    }
}
