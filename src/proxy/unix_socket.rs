//! The file of a Unix socket: of the right mode from its first moment, never taken from another process, removed at the
//! end.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use super::listener::BACKLOG;

/// Whether somebody listens on a socket; one that may not be asked counts as alive.
pub(super) fn is_alive(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Where the other's queue is full, a blocking connect waits.
    socket.set_nonblocking(true)?;
    let refused = match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => return Ok(true),
        Err(error) => error.kind(),
    };
    let is_dead = matches!(
        refused,
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    );
    Ok(!is_dead)
}

/// Binds under another name in the same directory and renames: at `path` there is never a socket of another mode, and
/// a stale one gives way without a moment in which there is none.
pub(super) fn bind(
    path: &Path,
    mode: u32,
    group: Option<u32>,
) -> io::Result<(UnixListener, SocketFile)> {
    if let Ok(found) = fs::symlink_metadata(path)
        && !found.file_type().is_socket()
    {
        return Err(io::Error::other("a file stands there that is no socket"));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let _ = fs::remove_file(&temporary);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(&temporary)?)?;
    let placed = place(&socket, &temporary, path, (mode, group));
    if placed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    let file = placed?;
    Ok((socket.into(), file))
}

/// Until it listens, nobody can connect to a socket, whatever its mode.
fn place(
    socket: &Socket,
    temporary: &Path,
    path: &Path,
    (mode, group): (u32, Option<u32>),
) -> io::Result<SocketFile> {
    if group.is_some() {
        chown(temporary, None, group)?;
    }
    fs::set_permissions(temporary, fs::Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    fs::rename(temporary, path)?;
    Ok(SocketFile {
        path: path.to_owned(),
        made: made(path)?,
    })
}

/// The file of a Unix socket; removed when dropped, if it is still this one.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    made: Made,
}

/// Which file it is: numbers alone are given again soon after a file is gone.
type Made = (u64, u64, i64, i64);

fn made(path: &Path) -> io::Result<Made> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino(), file.mtime(), file.mtime_nsec()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if made(&self.path).is_ok_and(|found| found == self.made) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::net::UnixStream;

    use super::*;

    fn place() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.sock");
        (folder, path)
    }

    #[tokio::test]
    async fn has_its_mode_and_leaves_nothing_behind() {
        let (folder, path) = place();
        let (listener, file) = bind(&path, 0o640, None).unwrap();
        let listener = tokio::net::UnixListener::from_std(listener).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        let (client, server) = tokio::join!(UnixStream::connect(&path), listener.accept());
        drop((client.unwrap(), server.unwrap(), listener, file));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_stale_socket_gives_way_and_a_live_one_is_alive() {
        let (_folder, path) = place();
        drop(UnixListener::bind(&path).unwrap());
        assert!(!is_alive(&path).unwrap());
        let (listener, _file) = bind(&path, 0o600, None).unwrap();
        assert!(is_alive(&path).unwrap());
        listener.accept().unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_stays() {
        let (_folder, path) = place();
        fs::write(&path, "precious").unwrap();
        assert!(bind(&path, 0o600, None).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn another_process_socket_is_not_removed() {
        let (_folder, path) = place();
        let (_listener, file) = bind(&path, 0o600, None).unwrap();
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        drop(file);
        assert!(fs::symlink_metadata(&path).is_ok());
        drop(other);
    }
}
