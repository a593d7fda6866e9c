//! What the tests stand on: a daemon, a gate before it, clients, and raw bytes.

pub(crate) mod address;
pub(crate) mod archive;
pub(crate) mod certificates;
pub(crate) mod connections;
pub(crate) mod docker;
pub(crate) mod engine;
pub(crate) mod existing;
pub(crate) mod fake_daemon;
pub(crate) mod gate;
pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod second_daemon;
pub(crate) mod site;
pub(crate) mod wait;

use std::io::Write as _;

/// Reads a JSON text of the daemon's or the gate's.
///
/// # Panics
/// Where it is none, with the text.
pub(crate) fn json(text: impl AsRef<[u8]>) -> serde_json::Value {
    let text = text.as_ref();
    #[expect(
        clippy::disallowed_methods,
        reason = "an answer that a test reads, not a client's body"
    )]
    let value = serde_json::from_slice(text);
    value.unwrap_or_else(|problem| panic!("no JSON ({problem}): {}", String::from_utf8_lossy(text)))
}

/// Writes a line past the harness, which shows nothing of a test that passes.
pub(crate) fn tell(line: &str) {
    #[expect(
        clippy::explicit_write,
        reason = "what the macros print is held back by the harness"
    )]
    writeln!(std::io::stderr(), "{line}").unwrap();
}
