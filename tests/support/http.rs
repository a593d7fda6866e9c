//! A small HTTP client that sends just the bytes it is given and reads answers of every framing.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};

use super::address::{Address, Connection};

/// An answer read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `message` of the daemon's error form.
    pub(crate) fn message(&self) -> String {
        let body = super::json(&self.body);
        body["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no message in {}", self.text()))
            .to_owned()
    }
}

/// Asks a daemon or a gate one thing on a connection of its own.
pub(crate) fn request(address: &Address, method: &str, target: &str, body: &str) -> Answer {
    let text = format!(
        "{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    send(address, text.as_bytes())
        .unwrap_or_else(|problem| panic!("{method} {target} at {address}: {problem}"))
}

/// Sends bytes as they are on a connection of their own and reads one answer.
pub(crate) fn send(address: &Address, bytes: &[u8]) -> io::Result<Answer> {
    let mut connection = address.connect()?;
    // A peer that answers early may have stopped reading; its answer counts all the same.
    let _ = connection
        .write_all(bytes)
        .and_then(|()| connection.flush());
    read_answer(&mut BufReader::new(connection), bytes.starts_with(b"HEAD "))
}

/// Reads one answer; `UnexpectedEof` where the peer closed without one.
pub(crate) fn read_answer(
    reader: &mut BufReader<Connection>,
    answers_head: bool,
) -> io::Result<Answer> {
    let (status, headers) = read_head(reader)?;
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    let length: Option<usize> = answer
        .header("content-length")
        .map(|length| length.parse().unwrap());
    if answers_head || matches!(status, 101 | 204 | 304) {
        return Ok(answer);
    }
    if answer
        .header("transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        answer.body = read_chunks(reader)?;
    } else if let Some(length) = length {
        answer.body = vec![0; length];
        reader.read_exact(&mut answer.body)?;
    } else {
        reader.read_to_end(&mut answer.body)?;
    }
    Ok(answer)
}

/// Reads the head of an answer and leaves what follows to the caller. `100 Continue` is passed over.
pub(crate) fn read_head(
    reader: &mut BufReader<Connection>,
) -> io::Result<(u16, Vec<(String, String)>)> {
    loop {
        let line = read_line(reader)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status: u16 =
            status.ok_or_else(|| io::Error::other(format!("no status line: {line}")))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(reader)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| io::Error::other(format!("no header: {line}")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        if status != 100 {
            return Ok((status, headers));
        }
    }
}

fn read_chunks(reader: &mut BufReader<Connection>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = read_line(reader)?;
        let size = usize::from_str_radix(&size, 16)
            .map_err(|_| io::Error::other(format!("no chunk size: {size}")))?;
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..])?;
        read_line(reader)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn read_line(reader: &mut BufReader<Connection>) -> io::Result<String> {
    let mut line = Vec::new();
    reader
        .by_ref()
        .take(64 * 1024)
        .read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}
