//! What the filters of a list are held against: the daemon says of each that it is not there, or when it was made.

use crate::engine_api::json::{self, Value};
use crate::engine_api::{EngineRequest, Kind, Operation};

/// The things that the filters of this request name, by name, id, or the beginning of an id.
///
/// moby: daemon/list.go, `foldFilter`; daemon/images/images.go; daemon/cluster/tasks.go.
pub(super) fn held_against(request: &EngineRequest) -> Vec<(Kind, String)> {
    let query = &request.head.query;
    let (kind, names): (Kind, &[&str]) = match request.operation() {
        Some(Operation::ContainerList) => (Kind::Container, &["before", "since"]),
        Some(Operation::ImageList) => (Kind::Image, &["before", "since"]),
        Some(Operation::TaskList) => (Kind::Service, &["service"]),
        Some(_) | None => return Vec::new(),
    };
    let filters = json::parse(query.get("filters").unwrap_or_default().as_bytes());
    let filters = filters.unwrap_or(Value::Null);
    let mut found = Vec::new();
    for name in names {
        let filter = filters.get(name).unwrap_or(&Value::Null);
        let keys = filter.members().map(|(key, _)| key.as_str());
        // Daemons before API 1.25 have parameters for these.
        let older = query.get(name).into_iter();
        let texts = filter.texts().chain(keys).chain(older);
        found.extend(texts.map(|text| text.trim_start_matches('/').to_owned()));
    }
    found.retain(|text| !text.is_empty());
    found.into_iter().map(|text| (kind, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_api::RequestHead;

    #[test]
    fn every_spelling_of_a_filter_names_its_things() {
        let named = |target: &str| {
            let head = RequestHead::parse("GET", &format!("/v1.41{target}")).unwrap();
            let request = head.with_body(b"").unwrap();
            held_against(&request)
        };
        let a = |kind: Kind| vec![(kind, "a".to_owned())];
        for target in [
            "/containers/json?filters={%22before%22:[%22a%22]}",
            "/containers/json?filters={%22since%22:{%22/a%22:false}}",
            "/containers/json?since=a",
        ] {
            assert_eq!(named(target), a(Kind::Container), "{target}");
        }
        let target = "/images/json?filters={%22since%22:[%22a%22]}";
        assert_eq!(named(target), a(Kind::Image));
        let target = "/tasks?filters={%22service%22:{%22a%22:true}}";
        assert_eq!(named(target), a(Kind::Service));
        assert_eq!(named("/containers/json?filters={%22name%22:[%22a%22]}"), []);
        assert_eq!(named("/events?since=a"), []);
    }
}
