//! The policies that come with the gate.

/// Name and text of each ready policy, the default first and the most permissive last.
#[must_use]
pub fn ready() -> &'static [(&'static str, &'static str)] {
    READY
}

/// The text of the ready policy of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    let found = READY.iter().find(|(ready, _)| *ready == name);
    found.map(|(_, text)| *text)
}

/// The ready policy that a wrong name was most likely meant to be.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    super::problem::nearest(name, READY.iter().map(|(ready, _)| *ready))
}

/// What holds where the operator says nothing.
pub const DEFAULT: &str = "guarded";

static READY: &[(&str, &str)] = &[
    ("guarded", include_str!("../../policies/guarded.toml")),
    ("read-only", include_str!("../../policies/read-only.toml")),
    ("dashboard", include_str!("../../policies/dashboard.toml")),
    ("traefik", include_str!("../../policies/traefik.toml")),
    ("portainer", include_str!("../../policies/portainer.toml")),
    ("watchtower", include_str!("../../policies/watchtower.toml")),
    ("ci-runner", include_str!("../../policies/ci-runner.toml")),
    (
        "agent-sandbox",
        include_str!("../../policies/agent-sandbox.toml"),
    ),
    ("open", include_str!("../../policies/open.toml")),
];
