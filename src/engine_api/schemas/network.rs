//! The bodies of `NetworkCreate`, `NetworkConnect` and `NetworkDisconnect`, and the settings of an endpoint.

use super::super::schema::{Limit, Refused, Schema, Shape};
use super::{harmless, limited, refused};

#[rustfmt::skip]
/// moby: api/types/network/create_request.go; `EnableIPv4` and `EnableIPv6` are `*bool`.
///
/// `Attachable` has an effect on swarm's networks only. A network that is `ConfigOnly` lends its options to others
/// (`ConfigFrom`), which then take them unseen.
pub(super) const CREATE: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("CheckDuplicate", Shape::Bool),
        limited("Driver", Shape::Text, Limit::NetworkDriver),
        limited("Scope", Shape::Text, Limit::NetworkScope),
        harmless("EnableIPv4", Shape::Bool),
        harmless("EnableIPv6", Shape::Bool),
        harmless("IPAM", Shape::Object(IPAM)),
        harmless("Internal", Shape::Bool),
        harmless("Attachable", Shape::Bool),
        refused("Ingress", Shape::Bool, Refused::Swarm),
        refused("ConfigOnly", Shape::Bool, Refused::Swarm),
        harmless("ConfigFrom", Shape::Object(CONFIG_FROM)),
        limited("Options", Shape::TextMap, Limit::NetworkOptions),
        limited("Labels", Shape::TextMap, Limit::Labels),
    ]],
};

/// `Container` is a reference to another container, resolved and judged like one in a path.
pub(super) const CONNECT: &Schema = &Schema {
    parts: &[&[
        harmless("Container", Shape::Text),
        harmless("EndpointConfig", Shape::Object(ENDPOINT)),
    ]],
};

pub(super) const DISCONNECT: &Schema = &Schema {
    parts: &[&[
        harmless("Container", Shape::Text),
        harmless("Force", Shape::Bool),
    ]],
};

#[rustfmt::skip]
/// moby: api/types/network/endpoint.go.
///
/// Addresses and `EndpointID` are overwritten when the container starts (daemon/container_operations.go,
/// `cleanOperationalData`); `Links`, `Aliases` and `DNSNames` are names within the network that is joined.
pub(super) const ENDPOINT: &Schema = &Schema {
    parts: &[&[
        harmless("IPAMConfig", Shape::Object(ENDPOINT_IPAM)),
        harmless("Links", Shape::TextList),
        harmless("Aliases", Shape::TextList),
        limited("DriverOpts", Shape::TextMap, Limit::EndpointOptions),
        harmless("GwPriority", Shape::Integer),
        // moby: daemon/container_operations.go, `getNetworkID` joins this network in place of the one that the key names.
        limited("NetworkID", Shape::Text, Limit::Network),
        harmless("EndpointID", Shape::Text),
        harmless("Gateway", Shape::Text),
        harmless("IPAddress", Shape::Text),
        harmless("MacAddress", Shape::Text),
        harmless("IPPrefixLen", Shape::Integer),
        harmless("IPv6Gateway", Shape::Text),
        harmless("GlobalIPv6Address", Shape::Text),
        harmless("GlobalIPv6PrefixLen", Shape::Integer),
        harmless("DNSNames", Shape::TextList),
    ]],
};

const ENDPOINT_IPAM: &Schema = &Schema {
    parts: &[&[
        harmless("IPv4Address", Shape::Text),
        harmless("IPv6Address", Shape::Text),
        harmless("LinkLocalIPs", Shape::TextList),
    ]],
};

/// The options are the driver's; the default driver has none.
const IPAM: &Schema = &Schema {
    parts: &[&[
        limited("Driver", Shape::Text, Limit::IpamDriver),
        harmless("Options", Shape::TextMap),
        harmless("Config", Shape::List(&Shape::Object(IPAM_CONFIG))),
    ]],
};

#[rustfmt::skip]
/// The gateway, range and further addresses lie within the subnet, or the daemon refuses them.
const IPAM_CONFIG: &Schema = &Schema {
    parts: &[&[
        limited("Subnet", Shape::Text, Limit::Subnet),
        harmless("IPRange", Shape::Text),
        harmless("Gateway", Shape::Text),
        harmless("AuxiliaryAddresses", Shape::TextMap),
    ]],
};

const CONFIG_FROM: &Schema = &Schema {
    parts: &[&[refused("Network", Shape::Text, Refused::Host)]],
};
