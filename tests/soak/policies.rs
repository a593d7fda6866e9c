//! Clients whom the configuration turns away while the others go on: one that asks too often, one whose certificate is
//! revoked under an open tunnel.

use std::io::{BufReader, Read as _};

use super::clients::{UPGRADE, head, send};
use super::{Authority, RELOADED};
use crate::reload::Kept;
use crate::support::address::Address;
use crate::support::gate::Gate;
use crate::support::http;

const LIST: &str = "/v1.41/images/json";

/// Asks on one connection until it is told to come back later, which it is soon.
pub(super) fn asks_too_often(door: &Address) {
    let mut kept = Kept::to(door);
    let answers = (0..400).map(|_| kept.get(LIST));
    let mut turned = answers.skip_while(|status| *status == 200);
    assert_eq!(turned.next(), Some(429));
}

/// A client of its own for each round, whose tunnel and next request end with its certificate.
pub(super) fn is_revoked(gate: &Gate, authority: &Authority, round: usize) {
    let name = format!("former-{round}");
    authority.certs(&["client", &name]);
    let former = gate.listener(1).clone();
    let former = former.with_client_certificate(&authority.client(&name));
    let mut tunnel = BufReader::new(former.connect().unwrap());
    let line = head("POST /v1.41/containers/a/attach?stream=1", UPGRADE);
    send(&mut tunnel, line.as_bytes()).unwrap();
    assert_eq!(http::read_head(&mut tunnel).unwrap().0, 101);
    let mut kept = Kept::to(&former);
    assert_eq!(kept.get(LIST), 200);
    let reloaded = gate.output().matches(RELOADED).count();
    authority.certs(&["revoke", &name]);
    gate.says(RELOADED, reloaded);
    assert_eq!(kept.get(LIST), 403);
    assert!(matches!(tunnel.read(&mut [0]), Ok(0) | Err(_)));
}
