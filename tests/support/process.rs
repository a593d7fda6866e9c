//! Running another program with a deadline, and a name of one's own for what it makes.

use std::io::{Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use super::wait;

/// How a program ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it wrote to its standard output.
    ///
    /// # Panics
    /// Where it failed, with all that it wrote.
    pub(crate) fn ok(&self, what: &str) -> String {
        assert!(
            self.status.success(),
            "{what}: {}\n{}{}",
            self.status,
            self.text(),
            self.stderr
        );
        self.text()
    }

    /// What it wrote to its standard error.
    ///
    /// # Panics
    /// Where it did not fail.
    pub(crate) fn failed(&self, what: &str) -> String {
        assert!(
            !self.status.success(),
            "{what} went through:\n{}{}",
            self.text(),
            self.stderr
        );
        self.stderr.clone()
    }
}

/// Runs a program to its end with `input` on its standard input.
///
/// # Panics
/// Where it runs longer than the deadline; it is killed then.
pub(crate) fn run(command: &mut Command, input: Vec<u8>, deadline: Duration) -> Ended {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.unwrap_or_else(|problem| panic!("{command:?}: {problem}"));
    finish(child, input, deadline)
        .unwrap_or_else(|so_far| panic!("{command:?} did not end in {deadline:?}\n{so_far}"))
}

/// What a started program comes to, or, where it runs longer than the deadline, what it wrote until it was killed.
pub(crate) fn finish(
    mut child: Child,
    input: Vec<u8>,
    deadline: Duration,
) -> Result<Ended, String> {
    let stdin = child.stdin.take();
    let writer = thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A program may end before it has read everything.
            let _ = stdin.write_all(&input);
        }
    });
    let stdout = child.stdout.take().map(read_to_end);
    let stderr = child.stderr.take().map(read_to_end);
    let status = wait::within(deadline, || child.try_wait().unwrap());
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let stdout = stdout
        .map(|reader| reader.join().unwrap())
        .unwrap_or_default();
    let stderr = stderr
        .map(|reader| reader.join().unwrap())
        .unwrap_or_default();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    let Some(status) = status else {
        return Err(format!("{}{stderr}", String::from_utf8_lossy(&stdout)));
    };
    writer.join().unwrap();
    Ok(Ended {
        status,
        stdout,
        stderr,
    })
}

fn read_to_end(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// A name that no other test uses, also not in another run before the same daemon, and that begins no other one.
pub(crate) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{count:05}", std::process::id())
}

/// The SHA-256 of bytes, in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Bytes that no compression and no repetition makes smaller, the same every time.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
