//! What becomes of records when the sink fails, is torn, or is occupied.

use std::fs;
use std::io::Read;
use std::path::Path;

use tokio::sync::Semaphore;

use super::*;

fn log(file: File) -> Log {
    Log::new(file, false, Arc::new(AtomicBool::new(false)))
}

fn place() -> OwnedSemaphorePermit {
    Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap()
}

fn end(line: &str) -> Entry {
    Entry::End {
        line: line.into(),
        place: place(),
    }
}

type Answer = oneshot::Receiver<Result<(), AuditError>>;

fn decision(line: impl Into<Vec<u8>>) -> (Entry, Answer) {
    let (written, answer) = oneshot::channel();
    let entry = Entry::Decision {
        line: line.into(),
        written,
        place: place(),
    };
    (entry, answer)
}

fn full() -> File {
    File::options().append(true).open("/dev/full").unwrap()
}

fn appended(path: &Path) -> File {
    File::options()
        .append(true)
        .create(true)
        .open(path)
        .unwrap()
}

#[test]
fn a_failing_sink_fails_decisions_and_keeps_ends_until_it_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut log = log(full());
    let (refused, answer) = decision("decision\n");

    log.write(&mut vec![refused, end("end\n")]);

    assert!(matches!(
        answer.blocking_recv().unwrap(),
        Err(AuditError::NotWritten { .. })
    ));
    assert!(log.is_failing.load(Ordering::Relaxed));

    log.file = appended(&path);
    let (permitted, answer) = decision("next\n");
    log.write(&mut vec![permitted]);

    assert_eq!(answer.blocking_recv().unwrap(), Ok(()));
    assert!(!log.is_failing.load(Ordering::Relaxed));
    let written = fs::read_to_string(&path).unwrap();
    let (gap, rest) = written.split_once('\n').unwrap();
    assert!(
        gap.contains(r#""event":"gap""#) && gap.contains(r#""decisions":1"#),
        "{gap}"
    );
    assert_eq!(rest, "end\nnext\n");

    log.write(&mut vec![end("later\n")]);
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .ends_with("end\nnext\nlater\n")
    );
}

#[test]
fn a_torn_line_is_ended_before_the_next_one_and_whole_lines_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let (mut reader, writer) = io::pipe().unwrap();
    let mut log = log(File::from(std::os::fd::OwnedFd::from(writer)));
    let (small, small_answer) = decision("small\n");
    let (large, large_answer) = decision(vec![b'x'; 4 << 20]);
    let gone = thread::spawn(move || {
        let mut taken = [0; 6];
        reader.read_exact(&mut taken).unwrap();
        taken
    });

    log.write(&mut vec![small, large]);

    assert_eq!(&gone.join().unwrap(), b"small\n");
    assert_eq!(small_answer.blocking_recv().unwrap(), Ok(()));
    assert!(large_answer.blocking_recv().unwrap().is_err());
    assert!(log.ends_inside_a_line);

    log.file = appended(&path);
    log.write(&mut vec![end("end\n")]);
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        written.starts_with("\n{") && written.ends_with("}\nend\n"),
        "{written}"
    );
    assert!(!log.ends_inside_a_line);
}

#[test]
fn a_decision_that_found_the_log_occupied_is_not_left_behind() {
    let (mut reader, writer) = io::pipe().unwrap();
    let log = Arc::new(Mutex::new(log(File::from(std::os::fd::OwnedFd::from(
        writer,
    )))));
    let group = Group::new(Arc::clone(&log));
    let (queue, entries) = mpsc::channel(1);
    let (large, _large_answer) = decision(vec![b'x'; 4 << 20]);
    queue.try_send(large).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| Log::run(&log, Some(&group), entries));
        // The pipe takes no more, so the log's own thread has the log.
        reader.read_exact(&mut [0; 1]).unwrap();
        assert!(log.try_lock().is_err());
        let (written, answer) = oneshot::channel();
        drop(group.add_decision(b"small\n", Then::Tell(written, place())));
        scope.spawn(move || reader.read_exact(&mut vec![0; (4 << 20) - 1 + 6]));
        assert_eq!(answer.blocking_recv().unwrap(), Ok(()));
        drop(queue);
    });
}
