//! The real Engine: its address, connections to it, and the requests that go over them.

mod connection;
mod request;
pub mod tls;

pub use connection::{Daemon, IdleConnection, Unavailable};
pub use request::{Passed, Upgrade};
