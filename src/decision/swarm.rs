//! Limits on swarms: where they listen, whom they join, who signs for them, and who is handed their tokens.

use super::{Judge, Reason};
use crate::engine_api::Operation;
use crate::engine_api::json::Value;
use crate::engine_api::swarm_address::{self, SwarmAddress};
use crate::policy::Limit;

impl Judge<'_> {
    /// Where a swarm that is made or joined listens, what it advertises and where its data goes, by what the daemon
    /// takes for those that are absent.
    pub(super) fn swarm_addresses(&mut self) {
        let operation = self.request.operation();
        if !matches!(operation, Some(Operation::SwarmInit | Operation::SwarmJoin)) {
            return;
        }
        let body = self.body();
        let text = |key: &str| body.map_or("", |body| body.text(key)).to_owned();
        let port = body.and_then(|body| body.get("DataPathPort"));
        let port = port.and_then(whole_number).unwrap_or_default();
        let (listen, advertise, data) = (
            text("ListenAddr"),
            text("AdvertiseAddr"),
            text("DataPathAddr"),
        );
        let listening = swarm_address::listening(&listen);
        self.swarm_address("ListenAddr", &listen, listening.as_ref());
        // What follows from an address that cannot be read cannot be told, and the request is refused already.
        let Some(listening) = listening else {
            return;
        };
        let advertised = swarm_address::advertised(&advertise, listening.port);
        self.swarm_address("AdvertiseAddr", &advertise, advertised.as_ref());
        if let Some(advertised) = advertised {
            let data_path = swarm_address::data_path(&data, port, &advertised);
            self.swarm_address("DataPathAddr", &data, data_path.as_ref());
        }
    }

    fn swarm_address(&mut self, path: &str, text: &str, address: Option<&SwarmAddress>) {
        let setting = &self.policy.swarm.addresses;
        let Some(address) = address.map(ToString::to_string) else {
            let text = without_user(text);
            let message = "no address or interface that all daemons read alike";
            self.refuse(
                Reason::new("swarm-address", path, text, message).opened_by(setting.line, ""),
            );
            return;
        };
        if setting
            .value
            .iter()
            .any(|pattern| pattern.matches(&address))
        {
            return;
        }
        let message = format!("the swarm would take `{address}`, which no rule opens");
        let remedy = format!("`addresses = [{}]` in `[swarm]`", Reason::quoted(&address));
        self.refuse(
            Reason::new("swarm-address", path, text, &message).opened_by(setting.line, &remedy),
        );
    }

    /// The managers of a swarm run what they like on every node of it.
    pub(super) fn swarm_remotes(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.swarm.remotes;
        for (index, text) in value.texts().enumerate() {
            let named = Some(text).filter(|text| !text.is_empty() && !text.starts_with(':'));
            let address = named.and_then(swarm_address::listening).map(|address| {
                // Names of machines are the same in capitals.
                address.to_string().to_ascii_lowercase()
            });
            let permits =
                |address: &String| setting.value.iter().any(|pattern| pattern.matches(address));
            if address.as_ref().is_some_and(permits) {
                continue;
            }
            let remedy = address
                .map(|address| format!("`remotes = [{}]` in `[swarm]`", Reason::quoted(&address)))
                .unwrap_or_default();
            let message = "its managers would run what they like on this host";
            self.refuse(
                Reason::new(
                    "swarm-remote",
                    &format!("{path}[{index}]"),
                    without_user(text),
                    message,
                )
                .opened_by(setting.line, &remedy),
            );
        }
    }

    pub(super) fn force_new_cluster(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.swarm.force_new_cluster;
        if !value.is_zero() {
            let names = ("force-new-cluster", "force-new-cluster");
            let message = "this manager would leave all others behind and be the swarm alone";
            self.swarm_switch(names, (path, "true"), setting, message);
        }
    }

    /// No value is shown: keys are secret, and URLs may hold passwords.
    pub(super) fn certificate_authority(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.swarm.certificate_authority;
        if !value.is_zero() {
            let names = ("certificate-authority", "certificate-authority");
            let message = "who signs the certificates of a swarm decides who is its manager";
            self.swarm_switch(names, (path, ""), setting, message);
        }
    }

    /// An update replaces the whole specification, so one that does not name the lock takes it away.
    ///
    /// moby: daemon/cluster/convert/swarm.go, `MergeSwarmSpecToGRPC`.
    pub(super) fn absent_auto_lock(&mut self) {
        let encryption = self.body().and_then(|body| body.get("EncryptionConfig"));
        let lock = encryption.and_then(|encryption| encryption.get("AutoLockManagers"));
        let is_locked = lock == Some(&Value::Bool(true));
        if self.request.operation() == Some(Operation::SwarmUpdate) && !is_locked {
            let setting = &self.policy.swarm.autolock_off;
            let path = "EncryptionConfig.AutoLockManagers";
            let message = "the keys of the managers would lie readable on their disks";
            self.swarm_switch(
                ("swarm-autolock", "autolock-off"),
                (path, ""),
                setting,
                message,
            );
        }
    }

    /// Operations whose answer is a token or a key.
    pub(super) fn swarm_tokens_read(&mut self) {
        let operation = self.request.operation();
        if matches!(
            operation,
            Some(Operation::SwarmInspect | Operation::SwarmUnlockkey)
        ) {
            let setting = &self.policy.swarm.tokens;
            let message = "the answer holds what makes a machine a manager, or unlocks one";
            self.swarm_switch(("swarm-tokens", "tokens"), ("", ""), setting, message);
        }
    }

    pub(super) fn swarm_tokens_changed(&mut self, path: &str, text: &str) {
        let setting = &self.policy.swarm.tokens;
        if text != "0" {
            let message = "what others hold to join or to unlock would be worth nothing";
            self.swarm_switch(("swarm-tokens", "tokens"), (path, "1"), setting, message);
        }
    }

    /// moby: daemon/cluster/convert/node.go, `NodeSpecToGRPC` reads a role without regard to case.
    pub(super) fn node_role(&mut self, path: &str, role: &str) {
        let setting = &self.policy.swarm.promote;
        if !role.is_empty() && !role.eq_ignore_ascii_case("worker") {
            let message = "a manager runs what it likes on every node of the swarm";
            self.swarm_switch(("node-role", "promote"), (path, role), setting, message);
        }
    }

    fn swarm_switch(
        &mut self,
        (code, key): (&'static str, &str),
        (path, value): (&str, &str),
        setting: &Limit<bool>,
        message: &str,
    ) {
        if !setting.value {
            let remedy = format!("`{key} = true` in `[swarm]`");
            self.refuse(Reason::new(code, path, value, message).opened_by(setting.line, &remedy));
        }
    }
}

/// A text that names a user, and so perhaps a password, is not shown.
fn without_user(text: &str) -> &str {
    if text.contains('@') { "" } else { text }
}

fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => None,
    }
}
