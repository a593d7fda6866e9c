//! What may stand in a request that goes on to the daemon.

use dockgate::engine_api::json::Value;
use dockgate::engine_api::schema::{Inner, Shape};
use dockgate::engine_api::{Body, EngineRequest, body_of, parameters_of};

/// The request, written, is read as the same; it mentions no field and no parameter outside the model.
pub(crate) fn check(request: &EngineRequest) {
    let body = match &request.body {
        Body::Json(value) => {
            if let Some(shape) = request.operation().and_then(body_of) {
                only_known(value, shape, "");
            }
            value.to_string()
        }
        Body::None | Body::Stream => String::new(),
    };
    let again = super::read_again(request, body.as_bytes());
    assert_eq!(again.body, request.body, "{body}");
    assert_eq!(again.head.target, request.head.target);
    assert_eq!(again.target(), request.target());
    assert!(again.unknown.is_empty(), "{body} has unknown fields");
    if let Some(operation) = request.operation() {
        let target = request.target();
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
            assert!(
                parameters_of(operation)
                    .iter()
                    .any(|known| known.name == name),
                "`{name}` of {target} is not of the model"
            );
        }
        assert!(
            again.dropped.is_empty(),
            "{body} has what the daemon does not read: {:?}",
            again.dropped
        );
    }
}

fn only_known(value: &Value, shape: Shape, path: &str) {
    match shape.inner() {
        Inner::Fields(schema) => {
            for (key, value) in value.members() {
                let mut fields = schema.fields();
                let field = fields
                    .find(|field| *field.name == **key && !matches!(field.shape, Shape::Unread));
                let field = field.unwrap_or_else(|| panic!("`{path}.{key}` is not of the model"));
                only_known(value, field.shape, &format!("{path}.{key}"));
            }
        }
        Inner::Items(item) => value
            .items()
            .iter()
            .for_each(|value| only_known(value, item, path)),
        Inner::Values(item) => value
            .members()
            .for_each(|(_, value)| only_known(value, item, path)),
        Inner::Nothing => {}
    }
}
