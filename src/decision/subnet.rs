//! Limits on where the subnets of new networks lie: the host sends their addresses there from then on, whoever had them.

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::engine_api::schema::Limit;
use crate::engine_api::{EngineRequest, Operation};
use crate::policy::Subnet;

/// Where clouds answer for a machine: its metadata with credentials, its names, its time. A range that holds one of them
/// does not open it; it is to be named itself.
const RESERVED: &[&str] = &[
    "169.254.0.0/16",
    "fe80::/10",
    // AWS, Google, Oracle, Scaleway
    "fd00:ec2::/32",
    "fd20:ce::/32",
    "fd00:c1::/32",
    "fd00:42::/32",
    // Alibaba, Azure, Oracle
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
];

/// Whether the routes of the host must be known before [`super::decide`] can judge this request.
#[must_use]
pub fn names_subnets(request: &EngineRequest) -> bool {
    let may = matches!(
        request.operation(),
        Some(Operation::NetworkCreate | Operation::SwarmInit)
    );
    let mut names = false;
    if may {
        request.limited_values(|limit, value| {
            names |= matches!(limit, Limit::Subnet | Limit::AddressPool) && !value.is_zero();
        });
    }
    names
}

impl Judge<'_> {
    pub(super) fn subnet(&mut self, path: &str, text: &str) {
        if !text.is_empty() {
            self.lies(
                path,
                text,
                "the host would send these addresses to the new network",
            );
        }
    }

    /// Where the subnets of a swarm's networks lie.
    pub(super) fn address_pool(&mut self, path: &str, value: &Value) {
        let message = "the hosts would send these addresses to networks of the swarm";
        for (index, text) in value.texts().enumerate() {
            self.lies(&format!("{path}[{index}]"), text, message);
        }
    }

    fn lies(&mut self, path: &str, text: &str, message: &str) {
        let (setting, wanted) = (&self.policy.network.subnets, Subnet::parse(text));
        let remedy = match wanted {
            Some(_) => format!("`subnets = [{}]` in `[network]`", Reason::quoted(text)),
            None => String::new(),
        };
        let Some(wanted) =
            wanted.filter(|one| setting.value.iter().any(|range| range.contains(one)))
        else {
            let reason = Reason::new("subnet", path, text, message);
            return self.refuse(reason.opened_by(setting.line, &remedy));
        };
        let is_named = || {
            let mut named = setting.value.iter();
            named.any(|range| wanted.contains(range) && range.contains(&wanted))
        };
        let mut reserved = RESERVED.iter().filter_map(|range| Subnet::parse(range));
        if let Some(reserved) = reserved.find(|range| range.meets(&wanted))
            && !is_named()
        {
            let message = format!("it meets `{reserved}`, where clouds answer for this machine");
            let reason = Reason::new("subnet", path, text, &message);
            return self.refuse(reason.opened_by(setting.line, &remedy));
        }
        let mut routed = self.facts.routed.iter();
        if let Some(routed) = routed.find(|range| range.meets(&wanted)) {
            let message = format!("the host itself has or reaches `{routed}`, and would no more");
            self.refuse(Reason::new("subnet-routed", path, text, &message));
        } else if let Some(cause) = &self.facts.routes_unread {
            let message = format!("the gate cannot tell what the host reaches there: {cause}");
            self.refuse(Reason::new("subnet-routed", path, text, &message));
        }
    }
}
