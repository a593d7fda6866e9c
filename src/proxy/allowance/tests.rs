//! What each owner may take, and how it is given back.

use super::*;

fn allowed(allowances: &Allowances, owner: &str, allowance: Allowance) -> Allowed {
    allowances.of(&Arc::from(owner), allowance)
}

fn three_a_day() -> Allowance {
    Allowance {
        rate: Some(Rate {
            per_second: 1,
            burst: 3,
        }),
        ..Allowance::default()
    }
}

#[test]
fn connections_of_one_owner_share_and_others_do_not() {
    let allowances = Allowances::default();
    let mut first = allowed(&allowances, "a", three_a_day());
    let mut second = allowed(&allowances, "a", three_a_day());
    first.begin().unwrap();
    second.begin().unwrap();
    first.begin().unwrap();
    assert_eq!(second.begin().unwrap_err(), Over::Rate(1, 1));
    assert!(allowed(&allowances, "b", three_a_day()).begin().is_ok());
}

#[test]
fn to_connect_anew_gives_no_new_tokens() {
    let allowances = Allowances::default();
    for _ in 0..3 {
        allowed(&allowances, "a", three_a_day()).begin().unwrap();
    }
    for other in 0..4 * FEW {
        allowed(&allowances, &other.to_string(), Allowance::default());
    }
    assert!(allowed(&allowances, "a", three_a_day()).begin().is_err());
}

#[test]
fn a_connection_pays_for_its_first_request() {
    let allowances = Allowances::default();
    let connect = || {
        let mut client = allowed(&allowances, "a", three_a_day());
        client.connect().then_some(client)
    };
    let mut first = connect().unwrap();
    assert!(first.begin().is_ok() && connect().is_some());
    assert!(first.begin().is_ok(), "the third");
    assert!(connect().is_none());
    let mut late = allowed(&allowances, "a", three_a_day());
    assert!(!late.connect());
    assert_eq!(late.begin().unwrap_err(), Over::Rate(1, 1));
}

#[test]
fn a_large_body_costs_as_many_requests_and_never_more_than_a_rest_gives() {
    let allowances = Allowances::default();
    let three = 3 * TOKEN_BYTES;
    let mut client = allowed(&allowances, "a", three_a_day());
    let mut charged = 0;
    client.begin().unwrap();
    client.size(&mut charged, TOKEN_BYTES - 1).unwrap();
    assert_eq!(charged, 0);
    client.size(&mut charged, TOKEN_BYTES).unwrap();
    client.size(&mut charged, TOKEN_BYTES + 1).unwrap();
    assert_eq!(charged, 1);
    client.size(&mut charged, three).unwrap();
    client.size(&mut charged, 1 << 30).unwrap();
    assert_eq!(charged, 2);
    assert_eq!(client.begin().unwrap_err(), Over::Rate(1, 1));
    let mut other = allowed(&allowances, "b", three_a_day());
    assert!(other.begin().is_ok() && other.begin().is_ok());
    assert_eq!(other.size(&mut 0, three), Err(Over::Rate(1, 1)));
}

#[test]
fn idle_owners_are_let_go() {
    let allowances = Allowances::default();
    let kept = allowed(&allowances, "kept", Allowance::default());
    for other in 0..20 * FEW {
        allowed(&allowances, &other.to_string(), Allowance::default());
    }
    let owners = allowances.owners.lock().unwrap();
    assert!(owners.used.len() <= 2 * FEW, "{}", owners.used.len());
    assert!(Arc::ptr_eq(&owners.used["kept"], &kept.used));
}

#[test]
fn places_come_back_when_they_are_dropped() {
    let allowances = Allowances::default();
    let bounds = Allowance {
        exchanges: Some(2),
        tunnels: Some(1),
        ..Allowance::default()
    };
    let mut allowed = allowed(&allowances, "a", bounds);
    let held = [allowed.begin().unwrap(), allowed.begin().unwrap()];
    assert_eq!(allowed.begin().unwrap_err(), Over::Exchanges(2));
    let tunnel = allowed.tunnel().unwrap();
    assert_eq!(allowed.tunnel().unwrap_err(), Over::Tunnels(1));
    drop((held, tunnel));
    assert!(allowed.begin().unwrap().is_some() && allowed.tunnel().is_ok());
}

#[test]
fn the_bytes_of_bodies_are_counted_as_they_grow() {
    let allowances = Allowances::default();
    let bounds = Allowance {
        judged_bytes: Some(100),
        ..Allowance::default()
    };
    let allowed = allowed(&allowances, "a", bounds);
    let mut first = allowed.body(60).unwrap();
    let mut second = allowed.body(0).unwrap();
    allowed.grow(&mut first, 10).unwrap();
    allowed.grow(&mut second, 40).unwrap();
    assert!(allowed.grow(&mut second, 41).is_err());
    assert_eq!(allowed.body(1).unwrap_err(), Over::JudgedBytes(100));
    drop(first);
    allowed.grow(&mut second, 100).unwrap();
    drop(second);
    assert!(allowed.body(100).is_ok());
}

#[test]
fn without_limits_nothing_is_counted() {
    let allowances = Allowances::default();
    let mut allowed = allowed(&allowances, "a", Allowance::default());
    for _ in 0..1000 {
        assert!(allowed.begin().unwrap().is_none());
    }
    assert!(allowed.tunnel().unwrap().is_none());
    let mut body = allowed.body(1 << 40).unwrap();
    assert!(allowed.grow(&mut body, 1 << 50).is_ok());
}

#[test]
fn waiting_is_told_in_whole_seconds() {
    assert_eq!(seconds_up(Duration::from_millis(1)), 1);
    assert_eq!(seconds_up(Duration::from_secs(2)), 2);
    assert_eq!(seconds_up(Duration::from_millis(2001)), 3);
}
