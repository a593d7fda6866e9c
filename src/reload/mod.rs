//! Taking in a changed configuration while the gate runs: which files it was made of, and when they change.

mod expiry;
mod places;
mod sources;
mod watch;

pub use expiry::{Expiry, days_of_notice, expiries};
pub use sources::Sources;
pub use watch::Watch;
