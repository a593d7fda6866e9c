//! Where a body ends, found without copying it.

use super::Framing;

/// How far a body has been read.
#[derive(Debug)]
pub struct Body {
    state: State,
    extras: Extras,
    /// Bytes of chunk extensions and trailers so far.
    extra: usize,
}

/// Whether chunk extensions and trailers may stand in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extras {
    /// In requests: no client sends them, and what is not understood is not passed on.
    Refused,
    /// In answers, which come from the daemon.
    Passed,
}

/// What stands at the beginning of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// So many bytes of chunk sizes, line ends and trailers.
    Framing(usize),
    /// So many bytes of the body itself.
    Data(usize),
    /// The input is used up, the body is not.
    More,
    Done,
}

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    #[error("a chunk of the body has no proper size")]
    ChunkSize,
    #[error("a chunk of the body does not end where its size says")]
    ChunkEnd,
    #[error("the body has chunk extensions or trailers")]
    Extras,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilEnd,
    /// Inside the data of a chunk.
    Chunk(u64),
    Between(Between),
    Done,
}

/// Where the bytes between the data of chunks stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Size { value: u64, digits: u8 },
    Extension { value: u64 },
    SizeFeed { value: u64 },
    ChunkReturn,
    ChunkFeed,
    Trailer { is_empty: bool },
    TrailerFeed { is_last: bool },
}

impl Body {
    /// A body that has not been read yet.
    #[must_use]
    pub fn new(framing: Framing, extras: Extras) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Between(START_OF_CHUNK),
            Framing::UntilEnd => State::UntilEnd,
        };
        Self {
            state,
            extras,
            extra: 0,
        }
    }

    /// Whether nothing is to come any more; of a body until the end of the connection that is never known.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the end of the connection ends the body.
    #[must_use]
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::UntilEnd | State::Done)
    }

    /// Reads on: what the input begins with, which the next call must no longer find there.
    ///
    /// # Errors
    /// [`BodyFault`] where the chunked coding is broken or carries more than `Extras` lets it.
    pub fn next(&mut self, input: &[u8]) -> Result<Piece, BodyFault> {
        let mut framing = 0;
        for byte in input {
            let State::Between(between) = self.state else {
                break;
            };
            self.state = self.framing_byte(between, *byte)?;
            framing += 1;
        }
        if framing > 0 {
            return Ok(Piece::Framing(framing));
        }
        let taken = |left: u64| {
            let available = u64::try_from(input.len()).unwrap_or(u64::MAX);
            let taken = left.min(available);
            let count = usize::try_from(taken).unwrap_or(input.len());
            (left - taken, Piece::Data(count))
        };
        Ok(match self.state {
            State::Done => Piece::Done,
            State::Length(_) | State::UntilEnd | State::Chunk(_) | State::Between(_)
                if input.is_empty() =>
            {
                Piece::More
            }
            State::UntilEnd => Piece::Data(input.len()),
            State::Length(left) => {
                let (left, piece) = taken(left);
                self.state = if left == 0 {
                    State::Done
                } else {
                    State::Length(left)
                };
                piece
            }
            State::Chunk(left) => {
                let (left, piece) = taken(left);
                self.state = if left == 0 {
                    State::Between(Between::ChunkReturn)
                } else {
                    State::Chunk(left)
                };
                piece
            }
            // INVARIANT: of an input that is not empty, the loop above took at least one byte.
            State::Between(_) => Piece::More,
        })
    }

    /// RFC 9112, section 7.1.
    fn framing_byte(&mut self, between: Between, byte: u8) -> Result<State, BodyFault> {
        let next = match (between, byte) {
            (Between::Size { value, digits }, b'\r') if digits > 0 => Between::SizeFeed { value },
            (Between::Size { value, digits }, b';') if digits > 0 => {
                self.extra_byte(byte)?;
                Between::Extension { value }
            }
            (Between::Size { value, digits }, digit) if digits < MOST_DIGITS => {
                let digit = char::from(digit).to_digit(16).ok_or(BodyFault::ChunkSize)?;
                Between::Size {
                    value: value << 4 | u64::from(digit),
                    digits: digits + 1,
                }
            }
            (Between::Extension { value }, b'\r') => Between::SizeFeed { value },
            (Between::SizeFeed { value: 0 }, b'\n') => Between::Trailer { is_empty: true },
            (Between::SizeFeed { value }, b'\n') => return Ok(State::Chunk(value)),
            (Between::ChunkReturn, b'\r') => Between::ChunkFeed,
            (Between::ChunkFeed, b'\n') => START_OF_CHUNK,
            (Between::Trailer { is_empty }, b'\r') => Between::TrailerFeed { is_last: is_empty },
            (Between::Extension { .. }, byte) => {
                self.extra_byte(byte)?;
                between
            }
            (Between::Trailer { .. }, byte) => {
                self.extra_byte(byte)?;
                Between::Trailer { is_empty: false }
            }
            (Between::TrailerFeed { is_last: true }, b'\n') => return Ok(State::Done),
            (Between::TrailerFeed { is_last: false }, b'\n') => Between::Trailer { is_empty: true },
            (Between::ChunkReturn | Between::ChunkFeed, _) => return Err(BodyFault::ChunkEnd),
            (Between::Size { .. } | Between::SizeFeed { .. } | Between::TrailerFeed { .. }, _) => {
                return Err(BodyFault::ChunkSize);
            }
        };
        Ok(State::Between(next))
    }

    fn extra_byte(&mut self, byte: u8) -> Result<(), BodyFault> {
        self.extra += 1;
        let is_text = byte == b'\t' || !byte.is_ascii_control();
        if self.extras == Extras::Refused || !is_text || self.extra > MOST_EXTRAS {
            return Err(BodyFault::Extras);
        }
        Ok(())
    }
}

/// Fifteen hexadecimal digits cannot overflow 64 bits.
const MOST_DIGITS: u8 = 15;
/// Bytes of extensions and trailers in one body.
const MOST_EXTRAS: usize = 16 * 1024;
const START_OF_CHUNK: Between = Between::Size {
    value: 0,
    digits: 0,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The data in `text` and what is left after the body, read in steps of `step` bytes.
    fn read(
        framing: Framing,
        extras: Extras,
        text: &str,
        step: usize,
    ) -> Result<(String, String), BodyFault> {
        let mut body = Body::new(framing, extras);
        let (mut data, mut at, mut seen) = (String::new(), 0, 0);
        loop {
            match body.next(&text.as_bytes()[at..seen])? {
                Piece::Framing(count) => at += count,
                Piece::Data(count) => {
                    data.push_str(text.get(at..at + count).unwrap());
                    at += count;
                }
                Piece::More if seen == text.len() => return Ok((data, "MORE".to_owned())),
                Piece::More => seen = (seen + step).min(text.len()),
                Piece::Done => return Ok((data, text.split_at(at).1.to_owned())),
            }
        }
    }

    #[test]
    fn ends_where_the_length_says() {
        for step in 1..9 {
            let (data, rest) =
                read(Framing::Length(5), Extras::Refused, "helloGET /", step).unwrap();
            assert_eq!(data, "hello");
            assert!("GET /".starts_with(&rest));
        }
        assert_eq!(
            read(Framing::Length(5), Extras::Refused, "hell", 9)
                .unwrap()
                .1,
            "MORE"
        );
        assert_eq!(
            read(Framing::Empty, Extras::Refused, "GET", 9).unwrap().0,
            ""
        );
    }

    #[test]
    fn joins_chunks_however_they_come() {
        let text = "5\r\nhello\r\n00001\r\n \r\nA\r\n0123456789\r\n0\r\n\r\nGET /";
        for step in 1..text.len() {
            let (data, rest) = read(Framing::Chunked, Extras::Refused, text, step).unwrap();
            assert_eq!(data, "hello 0123456789");
            assert!("GET /".starts_with(&rest), "{rest}");
        }
    }

    #[test]
    fn refuses_broken_chunks() {
        for text in [
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhell\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "FFFFFFFFFFFFFFFFF\r\n",
            "5\r\nhello\r\n0\r\nX",
            "5;a=b\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\r\nTrailer: a\r\n\r\n",
            "5\r\nhello\r\n0\r\n\n",
        ] {
            for step in [1, 100] {
                assert!(
                    read(Framing::Chunked, Extras::Refused, text, step).is_err(),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn passes_extras_of_answers_within_a_limit() {
        let text = "5;a=b\r\nhello\r\n0\r\nTrailer: a\r\nB: c\r\n\r\nrest";
        for step in 1..text.len() {
            let (data, rest) = read(Framing::Chunked, Extras::Passed, text, step).unwrap();
            assert_eq!(data, "hello");
            assert!("rest".starts_with(&rest));
        }
        let long = format!("0\r\nA: {}", "x".repeat(MOST_EXTRAS));
        assert_eq!(
            read(Framing::Chunked, Extras::Passed, &long, 100),
            Err(BodyFault::Extras)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(text in "[0-9a-f;\\r\\n x]{0,60}", step in 1_usize..9) {
            for extras in [Extras::Refused, Extras::Passed] {
                let stepwise = read(Framing::Chunked, extras, &text, step);
                let at_once = read(Framing::Chunked, extras, &text, text.len().max(1));
                proptest::prop_assert_eq!(
                    stepwise.map(|(data, _)| data),
                    at_once.map(|(data, _)| data)
                );
            }
        }
    }
}
