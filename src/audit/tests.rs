//! What the audit log holds to when its sink is slow, full, torn or gone.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn limits(decisions: usize, ends: usize, deadline: Duration) -> AuditLimits {
    AuditLimits {
        waiting_decisions: decisions,
        open_exchanges: ends,
        deadline,
    }
}

fn line(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_string(value)
        .unwrap()
        .into_bytes()
        .into_iter()
        .chain([b'\n'])
        .collect()
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_record_is_in_the_file_when_record_returns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::start(&Sink::File(path.clone()), AuditLimits::default()).unwrap();

    audit.write(line(&"one")).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "\"one\"\n");

    let end = audit.reserve().await.unwrap();
    audit.write(line(&"two")).await.unwrap();
    end.write(line(&"end")).unwrap();
    audit.close().await.unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "\"one\"\n\"two\"\n\"end\"\n"
    );
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_file_left_inside_a_line_is_continued_on_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    fs::write(&path, "{\"torn").unwrap();
    let audit = Audit::start(&Sink::File(path.clone()), AuditLimits::default()).unwrap();
    audit.write(line(&1)).await.unwrap();
    audit.write(line(&2)).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"torn\n1\n2\n");
}

#[tokio::test]
async fn a_full_disk_fails_every_record() {
    let audit = Audit::start(
        &Sink::File(PathBuf::from("/dev/full")),
        AuditLimits::default(),
    )
    .unwrap();
    for _ in 0..2 {
        assert!(matches!(
            audit.write(line(&"decision")).await,
            Err(AuditError::NotWritten { .. })
        ));
    }
    assert!(audit.is_failing());
    audit.reserve().await.unwrap().write(line(&"end")).unwrap();
    assert!(matches!(
        audit.close().await,
        Err(AuditError::NotWritten { .. })
    ));
}

#[tokio::test]
async fn a_sink_that_cannot_be_opened_is_named() {
    let error = Audit::start(
        &Sink::File(PathBuf::from("/nonexistent/audit.jsonl")),
        AuditLimits::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("`/nonexistent/audit.jsonl`"));
}

#[tokio::test]
async fn a_stalled_reader_refuses_in_time_and_loses_nothing() {
    let (mut reader, writer) = io::pipe().unwrap();
    let file = File::from(OwnedFd::from(writer));
    let audit = Audit::start_on(file, false, limits(2, 2, SHORT)).unwrap();
    let end = audit.reserve().await.unwrap();
    let large = "x".repeat(4 << 20);

    assert_eq!(audit.write(line(&large)).await, Err(AuditError::TooSlow));
    assert_eq!(audit.write(line(&"second")).await, Err(AuditError::TooSlow));
    assert_eq!(
        audit.write(line(&"third")).await,
        Err(AuditError::QueueFull)
    );
    end.write(line(&"end")).unwrap();

    let read = task::spawn_blocking(move || {
        let mut all = String::new();
        reader.read_to_string(&mut all).unwrap();
        all
    });
    while audit.0.decision_places.available_permits() < 2 {
        task::yield_now().await;
    }
    audit.write(line(&"fourth")).await.unwrap();
    audit.close().await.unwrap();
    assert_eq!(
        read.await.unwrap(),
        format!("\"{large}\"\n\"second\"\n\"end\"\n\"fourth\"\n")
    );
}

#[tokio::test]
async fn open_exchanges_are_bounded_and_leave_room_for_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let sink = Sink::File(path);
    let audit = Audit::start(&sink, limits(1, 2, SHORT)).unwrap();
    let first = audit.reserve().await.unwrap();
    let _second = audit.reserve().await.unwrap();
    assert_eq!(audit.reserve().await.unwrap_err(), AuditError::QueueFull);

    audit.write(line(&"decision")).await.unwrap();

    first.write(line(&"end")).unwrap();
    audit.reserve().await.unwrap();
}

#[tokio::test]
async fn many_writers_at_once_all_get_whole_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::start(&Sink::File(path.clone()), limits(8, 8, LONG)).unwrap();
    let mut tasks = task::JoinSet::new();
    for task in 0..32 {
        let audit = audit.clone();
        tasks.spawn(async move {
            for number in 0..20 {
                let end = audit.reserve().await.unwrap();
                audit.write(line(&(task, number))).await.unwrap();
                end.write(line(&"end")).unwrap();
            }
        });
    }
    tasks.join_all().await;
    audit.close().await.unwrap();
    let written = fs::read_to_string(&path).unwrap();
    let (ends, mut decisions): (Vec<&str>, Vec<&str>) =
        written.lines().partition(|line| *line == "\"end\"");
    decisions.sort_unstable();
    decisions.dedup();
    assert_eq!((ends.len(), decisions.len()), (640, 640));
}

#[tokio::test]
async fn a_closed_log_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::File(folder.path().join("audit.jsonl"));
    let audit = Audit::start(&sink, AuditLimits::default()).unwrap();
    audit.clone().close().await.unwrap();
    assert_eq!(audit.write(line(&1)).await, Err(AuditError::Stopped));
}

#[tokio::test]
async fn decisions_of_one_moment_share_a_write_and_none_returns_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::start(&Sink::File(path.clone()), AuditLimits::default()).unwrap();
    let _first = audit.reserve().await.unwrap();
    let _second = audit.reserve().await.unwrap();
    let one = async |number: u8| {
        audit.write(line(&number)).await.unwrap();
        fs::read_to_string(&path).unwrap()
    };
    let (first, second, third) = tokio::join!(one(1), one(2), one(3));
    assert_eq!([first.as_str(), &second, &third], ["1\n2\n3\n"; 3]);
}

#[tokio::test]
async fn a_leader_that_is_ended_leaves_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::start(&Sink::File(path.clone()), AuditLimits::default()).unwrap();
    let _first = audit.reserve().await.unwrap();
    let _second = audit.reserve().await.unwrap();
    let mut leader = Box::pin(audit.write(line(&"leader")));
    let mut follower = Box::pin(audit.write(line(&"follower")));
    std::future::poll_fn(|cx| {
        assert!(leader.as_mut().poll(cx).is_pending());
        assert!(follower.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;

    drop(leader);

    follower.await.unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "\"leader\"\n\"follower\"\n"
    );
}

#[tokio::test]
async fn an_end_is_written_soon_though_no_decision_follows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::start(&Sink::File(path.clone()), limits(1, 1, LONG)).unwrap();
    audit.reserve().await.unwrap().write(line(&"end")).unwrap();
    while fs::read_to_string(&path).unwrap().is_empty() {
        task::yield_now().await;
    }
    assert!(!audit.0.queue.is_closed());
}
