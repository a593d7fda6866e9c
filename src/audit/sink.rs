//! The file, or the standard output, that audit records are appended to.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};

use crate::audit::Sink;

impl Sink {
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => format!("`{}`", path.display()),
            Self::Stdout => "the standard output".to_owned(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    /// The file was left in the middle of a line, by a crash or a full disk.
    pub(super) ends_inside_a_line: bool,
}

pub(super) fn open(sink: &Sink) -> io::Result<Opened> {
    match sink {
        Sink::File(path) => {
            let file = File::options()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(path)?;
            let ends_inside_a_line = file.metadata()?.is_file() && ends_inside_a_line(path)?;
            Ok(Opened {
                file,
                ends_inside_a_line,
            })
        }
        Sink::Stdout => Ok(Opened {
            file: File::from(io::stdout().as_fd().try_clone_to_owned()?),
            ends_inside_a_line: false,
        }),
    }
}

/// Writes as much as the sink takes; gives how much that was, and why it was not all.
pub(super) fn write(mut file: &File, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut rest = bytes;
    let error = loop {
        if rest.is_empty() {
            break None;
        }
        match file.write(rest) {
            Ok(0) => break Some(io::ErrorKind::WriteZero.into()),
            Ok(length) => rest = rest.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process that has the same terminal or pipe may have made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Err(error) = wait_until_writable(file) {
                    break Some(error);
                }
            }
            Err(error) => break Some(error),
        }
    };
    (bytes.len() - rest.len(), error)
}

fn wait_until_writable(file: &File) -> io::Result<()> {
    match poll(&mut [PollFd::new(file, PollFlags::OUT)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn ends_inside_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
