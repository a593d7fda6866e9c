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
    Size { value: u64, digits: u8 },
    Extension { value: u64 },
    SizeFeed { value: u64 },
    Chunk(u64),
    ChunkReturn,
    ChunkFeed,
    Trailer { is_empty: bool },
    TrailerFeed { is_last: bool },
    Done,
}

impl Body {
    /// A body that has not been read yet.
    #[must_use]
    pub fn new(framing: Framing, extras: Extras) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => START_OF_CHUNK,
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
            match self.state {
                State::Done | State::Length(_) | State::UntilEnd | State::Chunk(_) => break,
                state => self.state = self.framing_byte(state, *byte)?,
            }
            framing += 1;
        }
        if framing > 0 {
            return Ok(Piece::Framing(framing));
        }
        let available = u64::try_from(input.len()).unwrap_or(u64::MAX);
        Ok(match self.state {
            State::Done => Piece::Done,
            _ if input.is_empty() => Piece::More,
            State::UntilEnd => Piece::Data(input.len()),
            State::Length(left) => {
                let taken = left.min(available);
                self.state = if taken == left {
                    State::Done
                } else {
                    State::Length(left - taken)
                };
                Piece::Data(usize::try_from(taken).unwrap_or(input.len()))
            }
            State::Chunk(left) => {
                let taken = left.min(available);
                self.state = if taken == left {
                    State::ChunkReturn
                } else {
                    State::Chunk(left - taken)
                };
                Piece::Data(usize::try_from(taken).unwrap_or(input.len()))
            }
            // INVARIANT: the loop above took at least one byte in every other state.
            State::Size { .. }
            | State::Extension { .. }
            | State::SizeFeed { .. }
            | State::ChunkReturn
            | State::ChunkFeed
            | State::Trailer { .. }
            | State::TrailerFeed { .. } => Piece::More,
        })
    }

    /// RFC 9112, section 7.1.
    fn framing_byte(&mut self, state: State, byte: u8) -> Result<State, BodyFault> {
        match (state, byte) {
            (State::Size { value, digits }, b'\r') if digits > 0 => Ok(State::SizeFeed { value }),
            (State::Size { value, digits }, b';') if digits > 0 => {
                self.extra_byte(byte, State::Extension { value })
            }
            (State::Size { value, digits }, digit) if digits < MOST_DIGITS => {
                let digit = char::from(digit).to_digit(16).ok_or(BodyFault::ChunkSize)?;
                Ok(State::Size {
                    value: value << 4 | u64::from(digit),
                    digits: digits + 1,
                })
            }
            (State::Extension { value }, b'\r') => Ok(State::SizeFeed { value }),
            (State::Extension { .. }, byte) => self.extra_byte(byte, state),
            (State::SizeFeed { value: 0 }, b'\n') => Ok(State::Trailer { is_empty: true }),
            (State::SizeFeed { value }, b'\n') => Ok(State::Chunk(value)),
            (State::ChunkReturn, b'\r') => Ok(State::ChunkFeed),
            (State::ChunkFeed, b'\n') => Ok(START_OF_CHUNK),
            (State::Trailer { is_empty }, b'\r') => Ok(State::TrailerFeed { is_last: is_empty }),
            (State::Trailer { .. }, byte) => {
                self.extra_byte(byte, State::Trailer { is_empty: false })
            }
            (State::TrailerFeed { is_last: true }, b'\n') => Ok(State::Done),
            (State::TrailerFeed { is_last: false }, b'\n') => Ok(State::Trailer { is_empty: true }),
            (State::ChunkReturn | State::ChunkFeed, _) => Err(BodyFault::ChunkEnd),
            _ => Err(BodyFault::ChunkSize),
        }
    }

    fn extra_byte(&mut self, byte: u8, next: State) -> Result<State, BodyFault> {
        self.extra += 1;
        let is_text = byte == b'\t' || !byte.is_ascii_control();
        if self.extras == Extras::Refused || !is_text || self.extra > MOST_EXTRAS {
            return Err(BodyFault::Extras);
        }
        Ok(next)
    }
}

/// Fifteen hexadecimal digits cannot overflow 64 bits.
const MOST_DIGITS: u8 = 15;
/// Bytes of extensions and trailers in one body.
const MOST_EXTRAS: usize = 16 * 1024;
const START_OF_CHUNK: State = State::Size {
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
                    data.push_str(&text[at..at + count]);
                    at += count;
                }
                Piece::More if seen == text.len() => return Ok((data, "MORE".to_owned())),
                Piece::More => seen = (seen + step).min(text.len()),
                Piece::Done => return Ok((data, text[at..].to_owned())),
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
}
