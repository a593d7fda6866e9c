//! Waiting for what is to happen, with a deadline.

use std::time::{Duration, Instant};

/// How long anything that is to happen may take on a machine with other work to do.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Waits until `what` gives a value.
///
/// # Panics
/// After [`DEADLINE`], with the description.
pub(crate) fn until<T>(description: &str, what: impl FnMut() -> Option<T>) -> T {
    within(DEADLINE, what).unwrap_or_else(|| panic!("after {DEADLINE:?} still not: {description}"))
}

/// What `what` gives as soon as it gives a value, or nothing after `deadline`.
pub(crate) fn within<T>(deadline: Duration, mut what: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = what() {
            return Some(value);
        }
        if Instant::now() > end {
            return None;
        }
        pause(Duration::from_millis(20));
    }
}

/// Lets time pass between two looks, or between two bytes of a slow client.
pub(crate) fn pause(duration: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own thread; what it waits for is looked at after"
    )]
    std::thread::sleep(duration);
}
