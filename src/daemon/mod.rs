//! The real Engine: its address, connections to it, and the requests that go over them.

mod connection;
mod lookup;
mod request;
pub mod tls;

pub use connection::{Daemon, IdleConnection, Unavailable};
pub use lookup::{LookupFault, Question, Reply};
pub use request::{Passed, Upgrade};
