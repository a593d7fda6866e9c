//! What an audit record says of a client, each text within a bound.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Client;
use crate::audit::text::{LIST_LIMIT, Text};
use crate::policy::client::{Certificate, Identity};

impl Serialize for Client<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(name) = self.name {
            map.serialize_entry("name", name)?;
        }
        if let Some(owner) = self.owner {
            map.serialize_entry("owner", &Text::<256>(owner))?;
        }
        if let Some(source) = self.source {
            map.serialize_entry("source", &source)?;
        }
        match self.identity {
            Some(Identity::Certificate(certificate)) => {
                serialize_certificate(&mut map, certificate)?;
            }
            Some(Identity::Peer(peer)) => {
                map.serialize_entry("uid", &peer.uid)?;
                map.serialize_entry("gid", &peer.gid)?;
                if let Some(groups) = peer.groups.get(..LIST_LIMIT.min(peer.groups.len()))
                    && !groups.is_empty()
                {
                    map.serialize_entry("groups", groups)?;
                }
                if let Some(pid) = peer.pid {
                    map.serialize_entry("pid", &pid)?;
                }
            }
            Some(Identity::Container(container)) => {
                map.serialize_entry("container", &Text::<256>(&container.name))?;
                map.serialize_entry("container_id", &container.id)?;
            }
            Some(Identity::Listener) | None => {}
        }
        map.end()
    }
}

fn serialize_certificate<M: SerializeMap>(
    map: &mut M,
    certificate: &Certificate,
) -> Result<(), M::Error> {
    if let Some(name) = &certificate.common_name {
        map.serialize_entry("common_name", &Text::<256>(name))?;
    }
    for (key, names) in [
        ("organizations", &certificate.organizations),
        ("organizational_units", &certificate.organizational_units),
        ("dns", &certificate.dns),
        ("emails", &certificate.emails),
        ("uris", &certificate.uris),
    ] {
        if !names.is_empty() {
            map.serialize_entry(key, &Names(names))?;
        }
    }
    if let Some(id) = &certificate.spiffe_id {
        map.serialize_entry("spiffe_id", &Text::<2048>(id))?;
    }
    map.serialize_entry("serial", &Text::<64>(&certificate.serial))?;
    map.serialize_entry("fingerprint", &certificate.fingerprint)?;
    map.serialize_entry("public_key", &certificate.public_key)
}

struct Names<'a>(&'a [String]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.0.iter().take(LIST_LIMIT);
        serializer.collect_seq(names.map(|name| Text::<256>(name)))
    }
}
