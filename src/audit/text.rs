//! The small parts of an audit record: when, which exchange, and texts that cannot grow without bound.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use itoa::Buffer;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use time::OffsetDateTime;

/// A moment, written as RFC 3339 in UTC with microseconds, always 27 characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timestamp(SystemTime);

impl Timestamp {
    /// The moment of the call.
    pub fn now() -> Self {
        Self(SystemTime::now())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.written().as_str())
    }
}

impl Timestamp {
    pub(super) fn written(self) -> Written {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut written = Written::new();
        written.bytes(second(since.as_secs()));
        let micros = since.subsec_micros();
        for pair in [micros / 10_000, micros / 100 % 100, micros % 100] {
            written.bytes(two_digits(u8::try_from(pair).unwrap_or_default()));
        }
        written.byte(b'Z');
        written
    }
}

/// What stands before the fraction of a second; a thousand records share it.
fn second(since_epoch: u64) -> [u8; 20] {
    if let (known, second) = SECOND.get()
        && known == since_epoch
    {
        return second;
    }
    let seconds = i64::try_from(since_epoch).unwrap_or(i64::MAX);
    // INVARIANT: clocks end long before the calendar does.
    let time = OffsetDateTime::from_unix_timestamp(seconds);
    let time = time.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    let [a, b] = two_digits(u8::try_from(year / 100).unwrap_or_default());
    let [c, d] = two_digits(u8::try_from(year % 100).unwrap_or_default());
    let [e, f] = two_digits(month.into());
    let [g, h] = two_digits(day);
    let [i, j] = two_digits(hour);
    let [k, l] = two_digits(minute);
    let [m, n] = two_digits(second);
    let written = [
        a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n, b'.',
    ];
    SECOND.set((since_epoch, written));
    written
}

thread_local! {
    /// The second that this thread has written last.
    static SECOND: Cell<(u64, [u8; 20])> = const { Cell::new((0, *b"1970-01-01T00:00:00.")) };
}

/// Those of a number below 100.
fn two_digits(number: u8) -> [u8; 2] {
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.written().as_str())
    }
}

/// A few ASCII characters, put together without the machinery of formatting: every record has four such texts.
#[derive(Debug)]
pub(super) struct Written {
    bytes: [u8; 40],
    length: usize,
}

impl Written {
    const fn new() -> Self {
        Self {
            bytes: [0; 40],
            length: 0,
        }
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn bytes<const COUNT: usize>(&mut self, bytes: [u8; COUNT]) {
        let rest = self.bytes.get_mut(self.length..).unwrap_or_default();
        if let Some(place) = rest.first_chunk_mut() {
            *place = bytes;
            self.length += COUNT;
        }
    }

    fn number(&mut self, number: u64) {
        let mut digits = Buffer::new();
        let digits = digits.format(number).as_bytes();
        let rest = self.bytes.get_mut(self.length..).unwrap_or_default();
        if let Some(place) = rest.get_mut(..digits.len()) {
            place.copy_from_slice(digits);
            self.length += digits.len();
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn as_str(&self) -> &str {
        // INVARIANT: only ASCII is written.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// Gives each exchange its id.
#[derive(Debug)]
pub struct ExchangeIds {
    /// In hexadecimal.
    run: [u8; 16],
    next: AtomicU64,
}

impl ExchangeIds {
    /// Starts at 1 under a random prefix, so that ids of two runs of the gate differ.
    pub fn start() -> Result<Self, NoRandomness> {
        let mut run = [0; 8];
        rand::fill(&mut run).map_err(|_| NoRandomness)?;
        let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
        let mut digits = [0; 16];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(run) {
            *pair = [digit(byte >> 4), digit(byte & 0xf)];
        }
        Ok(Self {
            run: digits,
            next: AtomicU64::new(1),
        })
    }

    /// An id that this run has not given before.
    pub fn next(&self) -> ExchangeId {
        ExchangeId {
            run: self.run,
            number: self.next.fetch_add(1, Ordering::Relaxed),
        }
    }
}

/// The operating system gives no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness;

/// Which exchange a record belongs to, for example `5f1c0a9be2d37788-42`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ExchangeId {
    run: [u8; 16],
    number: u64,
}

impl ExchangeId {
    pub(super) fn written(self) -> Written {
        let mut written = Written::new();
        written.bytes(self.run);
        written.byte(b'-');
        written.number(self.number);
        written
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.written().as_str())
    }
}

impl Serialize for ExchangeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.written().as_str())
    }
}

/// A client's text of which at most `LIMIT` bytes are recorded, then how long it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Text<'a, const LIMIT: usize>(pub &'a str);

impl<'a, const LIMIT: usize> From<&'a str> for Text<'a, LIMIT> {
    fn from(text: &'a str) -> Self {
        Self(text)
    }
}

impl<const LIMIT: usize> Serialize for Text<'_, LIMIT> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(text) = self;
        if text.len() <= LIMIT {
            return serializer.serialize_str(text);
        }
        let kept = (0..=LIMIT)
            .rev()
            .find_map(|end| text.get(..end))
            .unwrap_or_default();
        serializer.collect_str(&format_args!("{kept}… ({} bytes in all)", text.len()))
    }
}

/// A list of which the first `LIST_LIMIT` are recorded; use it with `serialize_with`.
pub(super) fn first<T: Serialize, S: Serializer>(
    items: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(items.len().min(LIST_LIMIT)))?;
    for item in items.iter().take(LIST_LIMIT) {
        sequence.serialize_element(item)?;
    }
    sequence.end()
}

/// The most items of one list in a record.
pub const LIST_LIMIT: usize = 64;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_has_all_its_digits() {
        let time = UNIX_EPOCH + Duration::new(1_700_000_001, 1_500);
        assert_eq!(Timestamp(time).to_string(), "2023-11-14T22:13:21.000001Z");
        let later = time + Duration::from_millis(7);
        assert_eq!(Timestamp(later).to_string(), "2023-11-14T22:13:21.007001Z");
        assert_eq!(
            Timestamp(UNIX_EPOCH).to_string(),
            "1970-01-01T00:00:00.000000Z"
        );
    }

    #[test]
    fn ids_differ_within_a_run_and_between_runs() {
        let ids = ExchangeIds::start().unwrap();
        let (first, second) = (ids.next(), ids.next());
        assert_ne!(first, second);
        assert_ne!(ExchangeIds::start().unwrap().next(), first);
        assert!(second.to_string().ends_with("-2"));
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let json = serde_json::to_string(&Text::<5>("aaaa\u{e9}b")).unwrap();
        assert_eq!(json, "\"aaaa… (7 bytes in all)\"");
        assert_eq!(
            serde_json::to_string(&Text::<5>("a\n\0\u{7f}")).unwrap(),
            "\"a\\n\\u0000\u{7f}\""
        );
    }
}
