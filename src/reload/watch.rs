//! Tells when files may have changed, by the directories that they stand in: a file that is replaced is another file.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use tokio::io::unix::AsyncFd;
use tokio::time::{self, Instant};

use super::places;

/// A watch on the places of some files (inotify(7)).
#[derive(Debug)]
pub struct Watch {
    inotify: AsyncFd<OwnedFd>,
    /// By the number of the watch: the directory, and the names in it that matter.
    watched: HashMap<i32, (PathBuf, BTreeSet<OsString>)>,
}

impl Watch {
    /// A watch on nothing yet.
    ///
    /// # Errors
    /// Those of the kernel, where its user has too many watches already.
    pub fn start() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "it is unsound for types that give another descriptor later; this one owns its own, and the other \
                      constructor needs `unsafe`"
        )]
        let inotify = AsyncFd::new(inotify)?;
        Ok(Self {
            inotify,
            watched: HashMap::new(),
        })
    }

    /// Watches these files from now on and no others; gives whether other directories are watched than before.
    pub fn set(&mut self, files: &[PathBuf]) -> bool {
        let mut watched = HashMap::new();
        for (directory, names) in places::of(files) {
            let flags = WatchFlags::ONLYDIR | FLAGS;
            match inotify::add_watch(&self.inotify, &directory, flags) {
                Ok(number) => {
                    let entry = watched.entry(number);
                    let (_, all) = entry.or_insert_with(|| (directory, BTreeSet::new()));
                    all.extend(names);
                }
                Err(error) if is_last_place(&directory, files) => {
                    let error = io::Error::from(error);
                    tracing::warn!(%error, path = %directory.display(), "changes here are noticed on SIGHUP only");
                }
                Err(error) => {
                    tracing::debug!(%error, path = %directory.display(), "a directory is not watched");
                }
            }
        }
        let is_other = watched != self.watched;
        for number in self.watched.keys() {
            if !watched.contains_key(number) {
                // The kernel has ended that of a directory that is gone.
                let _ = inotify::remove_watch(&self.inotify, *number);
            }
        }
        self.watched = watched;
        is_other
    }

    /// Returns once something has happened to a file, and it has been quiet for a moment since.
    ///
    /// # Errors
    /// Those of reading from the kernel; then nothing is watched any more.
    pub async fn changed(&mut self) -> io::Result<()> {
        while !self.next().await? {}
        let latest = Instant::now() + LONGEST_BURST;
        loop {
            let quiet = (Instant::now() + QUIET).min(latest);
            match time::timeout_at(quiet, self.next()).await {
                Err(_) => return Ok(()),
                Ok(read) => {
                    read?;
                }
            }
            if Instant::now() >= latest {
                return Ok(());
            }
        }
    }

    /// Waits for events, takes all that are there, and gives whether one of them matters.
    async fn next(&mut self) -> io::Result<bool> {
        loop {
            let mut ready = self.inotify.readable().await?;
            match ready.try_io(|inotify| self.matters(inotify.get_ref())) {
                Ok(matters) => return matters,
                Err(_would_block) => {}
            }
        }
    }

    fn matters(&self, inotify: &OwnedFd) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(inotify, &mut buffer);
        let (mut matters, mut count) = (false, 0);
        loop {
            match reader.next() {
                Ok(event) => {
                    count += 1;
                    let name = event
                        .file_name()
                        .map(|name| OsStr::from_bytes(name.to_bytes()));
                    matters |= self.is_ours(event.wd(), event.events(), name);
                }
                Err(rustix::io::Errno::AGAIN) if count > 0 => return Ok(matters),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_ours(&self, number: i32, events: ReadFlags, name: Option<&OsStr>) -> bool {
        let is_about_itself = ReadFlags::DELETE_SELF
            | ReadFlags::MOVE_SELF
            | ReadFlags::UNMOUNT
            | ReadFlags::QUEUE_OVERFLOW;
        if events.intersects(is_about_itself) {
            return true;
        }
        let names = self.watched.get(&number).map(|(_, names)| names);
        name.zip(names)
            .is_some_and(|(name, names)| names.contains(name))
    }
}

fn is_last_place(directory: &Path, files: &[PathBuf]) -> bool {
    files.iter().any(|file| file.parent() == Some(directory))
}

/// Not each write: a file is read once whoever wrote it has closed it.
const FLAGS: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF);

/// Without an event for so long, a burst is over.
const QUIET: Duration = Duration::from_millis(200);
/// Whoever writes without end is not waited for longer.
const LONGEST_BURST: Duration = Duration::from_secs(2);
/// For events, in bytes; one has at most 272.
const BUFFER: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn is_noticed(watch: &mut Watch, change: impl FnOnce()) -> bool {
        is_noticed_within(Duration::from_secs(20), watch, change).await
    }

    async fn is_noticed_within(
        deadline: Duration,
        watch: &mut Watch,
        change: impl FnOnce(),
    ) -> bool {
        change();
        let noticed = time::timeout(deadline, watch.changed()).await;
        noticed.is_ok_and(|read| read.is_ok())
    }

    #[tokio::test]
    async fn notices_every_way_to_change_a_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("..1")).unwrap();
        fs::write(at("..1/linked.toml"), "1").unwrap();
        std::os::unix::fs::symlink("..1", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/linked.toml", at("linked.toml")).unwrap();
        fs::write(at("policy.toml"), "1").unwrap();
        let mut watch = Watch::start().unwrap();
        let files = [at("policy.toml"), at("linked.toml"), at("absent.toml")];
        assert!(watch.set(&files));
        assert!(!watch.set(&files));

        let written = is_noticed(&mut watch, || fs::write(at("policy.toml"), "2").unwrap());
        assert!(written.await);
        let replaced = is_noticed(&mut watch, || {
            fs::write(at("new"), "3").unwrap();
            fs::rename(at("new"), at("policy.toml")).unwrap();
        });
        assert!(replaced.await);
        let swapped = is_noticed(&mut watch, || {
            fs::create_dir(at("..2")).unwrap();
            fs::write(at("..2/linked.toml"), "2").unwrap();
            std::os::unix::fs::symlink("..2", at("..new")).unwrap();
            fs::rename(at("..new"), at("..data")).unwrap();
        });
        assert!(swapped.await);
        assert!(is_noticed(&mut watch, || fs::write(at("absent.toml"), "").unwrap()).await);
        let other = is_noticed_within(Duration::from_secs(1), &mut watch, || {
            fs::write(at("audit.jsonl"), "x").unwrap();
        });
        assert!(!other.await);
        let removed = is_noticed(&mut watch, || fs::remove_dir_all(folder.path()).unwrap());
        assert!(removed.await);
    }

    #[tokio::test]
    async fn a_burst_is_one_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        let mut watch = Watch::start().unwrap();
        watch.set(std::slice::from_ref(&file));
        let burst = is_noticed(&mut watch, || {
            for text in ["1", "2", "3"] {
                fs::write(&file, text).unwrap();
            }
        });
        assert!(burst.await);
        assert!(!is_noticed_within(Duration::from_secs(1), &mut watch, || {}).await);
    }
}
