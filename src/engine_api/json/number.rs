//! A number as it was written: nothing of it is lost, however large or precise it is.

use itoa::Buffer;

/// A number of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// A whole number whose only spelling is its own.
    Whole(i64),
    /// What is larger, has a fraction or an exponent, or is `-0`; and a number that `f64` has.
    Other(Box<str>),
}

impl Number {
    /// Reads what has the form of a JSON number; `None` beyond what `f64` has, where Go's decoder fails.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(number) if text != "-0" => Some(Self(Form::Whole(number))),
            _ => {
                let is_finite = text.parse::<f64>().is_ok_and(f64::is_finite);
                is_finite.then(|| Self(Form::Other(text.into())))
            }
        }
    }

    /// The whole number, `None` where it is none within `i64` or is written in another way than by its digits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Form::Whole(number) => Some(number),
            Form::Other(_) => None,
        }
    }

    /// Whether it is zero to who reads it as `f64`.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match &self.0 {
            Form::Whole(number) => *number == 0,
            Form::Other(text) => text.parse() == Ok(0.0),
        }
    }

    /// Appends it as it was written.
    pub(super) fn write(&self, text: &mut String) {
        match &self.0 {
            Form::Whole(0) => text.push('0'),
            Form::Whole(number) => {
                text.push_str(Buffer::new().format(*number));
            }
            Form::Other(other) => text.push_str(other),
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(Form::Whole(number))
    }
}
