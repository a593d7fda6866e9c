//! A network that exists already, as the daemon describes it.

use super::super::Malformed;
use super::super::json::{self, Raw};
use super::is_full_id;
use super::owned::owner_in;

/// The option of the bridge driver that lets containers on one network talk to each other.
pub const ENABLE_ICC: &str = "com.docker.network.bridge.enable_icc";

/// The label by which the gate knows again what it made, and for whom.
pub const OWNER_LABEL: &str = "dockgate.owner";

/// What containers that join a network get into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingNetwork {
    /// As long as the daemon writes it; what it names never changes.
    pub id: String,
    pub name: String,
    pub driver: String,
    /// `local`, or beyond this host: `swarm`, `global`.
    pub scope: String,
    /// Whether containers on it may talk to each other.
    pub has_icc: bool,
    /// The value of [`OWNER_LABEL`].
    pub owner: Option<String>,
}

impl ExistingNetwork {
    /// Likewise of the swarm, for a service.
    ///
    /// # Errors
    /// [`Malformed`] as with [`Self::read`], and where it is of another scope.
    pub fn read_of_swarm(bytes: &[u8], asked: &str) -> Result<Self, Malformed> {
        let network = Self::read(bytes, asked)?;
        if network.scope != "swarm" {
            let cause = "it is no network of the swarm".to_owned();
            return Err(Malformed::Body(cause));
        }
        Ok(network)
    }

    /// Reads the answer to `NetworkInspect` for `asked`, a name, an id or the beginning of one.
    ///
    /// # Errors
    /// [`Malformed`] where it is none, or describes what `asked` does not stand for.
    pub fn read(bytes: &[u8], asked: &str) -> Result<Self, Malformed> {
        let answer = json::read(bytes)?;
        let (id, name) = (answer.text("Id"), answer.text("Name"));
        let is_id = is_full_id(id) || is_swarm_id(id);
        if !is_id || !(name == asked || id.starts_with(asked)) {
            return Err(Malformed::Body("it describes another network".to_owned()));
        }
        let (driver, scope) = (answer.text("Driver"), answer.text("Scope"));
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            driver: driver.to_owned(),
            scope: scope.to_owned(),
            has_icc: has_icc(driver, answer.get("Options")),
            owner: owner_in(&answer),
        })
    }
}

/// moby: libnetwork/drivers/bridge/bridge_linux.go: ICC is on unless the option says otherwise; no other driver has such
/// an option.
fn has_icc(driver: &str, options: Option<&Raw<'_>>) -> bool {
    let option = options.and_then(|options| options.get(ENABLE_ICC));
    let is_off = option.is_some_and(|option| is_false(option.as_text()));
    match driver {
        "null" => false,
        "bridge" => !is_off,
        _ => true,
    }
}

/// Go's `strconv.ParseBool`.
#[must_use]
pub fn is_false(text: &str) -> bool {
    matches!(text, "0" | "f" | "F" | "false" | "False" | "FALSE")
}

/// The ids of swarm: 25 digits and lower-case letters.
fn is_swarm_id(text: &str) -> bool {
    text.len() == 25
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

    fn read(driver: &str, more: &str, asked: &str) -> Result<ExistingNetwork, Malformed> {
        let text =
            format!(r#"{{"Id":"{ID}","Name":"n","Driver":"{driver}","Scope":"local"{more}}}"#);
        ExistingNetwork::read(text.as_bytes(), asked)
    }

    #[test]
    fn a_bridge_has_icc_unless_its_option_says_no() {
        for (driver, more, has_icc) in [
            ("bridge", "", true),
            ("bridge", r#","Options":null"#, true),
            (
                "bridge",
                r#","Options":{"com.docker.network.bridge.enable_icc":"true"}"#,
                true,
            ),
            (
                "bridge",
                r#","Options":{"com.docker.network.bridge.enable_icc":"odd"}"#,
                true,
            ),
            (
                "bridge",
                r#","Options":{"com.docker.network.bridge.enable_icc":"False"}"#,
                false,
            ),
            (
                "macvlan",
                r#","Options":{"com.docker.network.bridge.enable_icc":"false"}"#,
                true,
            ),
            ("null", "", false),
        ] {
            assert_eq!(read(driver, more, "n").unwrap().has_icc, has_icc, "{more}");
        }
    }

    #[test]
    fn an_answer_about_another_network_is_none() {
        for asked in ["n", "0a0a", ID] {
            assert!(read("bridge", "", asked).is_ok(), "{asked}");
        }
        for asked in ["m", "0b", "a0a0"] {
            assert!(read("bridge", "", asked).is_err(), "{asked}");
        }
        let labelled = read("bridge", r#","Labels":{"dockgate.owner":"ci"}"#, "n").unwrap();
        assert_eq!(labelled.owner.as_deref(), Some("ci"));
    }
}
