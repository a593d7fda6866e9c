//! Every place in a body's schema, with the JSON that reaches it.

use dockgate::engine_api::schema::{Class, Inner, Schema, Shape};

/// One field of a body.
pub(super) struct Place {
    /// As the facts write it: `HostConfig.Mounts[].Target`, `{}` for a key that is data.
    pub(super) name: String,
    /// As reasons write it: `HostConfig.Mounts[0].Target`.
    pub(super) path: String,
    /// The last part of the name.
    pub(super) key: &'static str,
    pub(super) spelling: Option<&'static str>,
    pub(super) shape: Shape,
    pub(super) class: Class,
    before: String,
    after: String,
}

/// One object of a body: its name in paths (empty for the body itself) and the JSON around its members.
pub(super) struct Inside {
    pub(super) path: String,
    before: String,
    after: String,
}

impl Place {
    /// A body that holds nothing but this field, under a name that may be another, with this value.
    pub(super) fn body(&self, key: &str, value: &str) -> String {
        format!("{}{{\"{key}\":{value}}}{}", self.before, self.after)
    }

    /// Whether the daemon's reading of it is not modelled, since it is never permitted.
    pub(super) fn is_unread(&self) -> bool {
        matches!(
            self.shape,
            Shape::Any | Shape::Unread | Shape::Map(Shape::Any)
        )
    }
}

impl Inside {
    /// A body that holds nothing but one member of this object.
    pub(super) fn body(&self, key: &str, value: &str) -> String {
        format!("{}{{\"{key}\":{value}}}{}", self.before, self.after)
    }

    pub(super) fn member(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

pub(super) fn places(body: Shape) -> Vec<Place> {
    let mut walk = Walk::default();
    walk.shape(body, &At::default());
    walk.places
}

pub(super) fn objects(body: Shape) -> Vec<Inside> {
    let mut walk = Walk::default();
    walk.shape(body, &At::default());
    walk.objects
}

#[derive(Default)]
struct Walk {
    places: Vec<Place>,
    objects: Vec<Inside>,
}

#[derive(Default, Clone)]
struct At {
    name: String,
    path: String,
    before: String,
    after: String,
}

impl At {
    fn deeper(&self, name: &str, path: &str, before: &str, after: &str) -> Self {
        Self {
            name: format!("{}{name}", self.name),
            path: format!("{}{path}", self.path),
            before: format!("{}{before}", self.before),
            after: format!("{after}{}", self.after),
        }
    }
}

impl Walk {
    fn object(&mut self, schema: &'static Schema, at: &At) {
        let At {
            name,
            path,
            before,
            after,
        } = at.clone();
        self.objects.push(Inside {
            path,
            before,
            after,
        });
        for field in schema.fields() {
            let dot = if name.is_empty() { "" } else { "." };
            let part = format!("{dot}{}", field.name);
            let inside = at.deeper(&part, &part, &format!("{{\"{}\":", field.name), "}");
            self.places.push(Place {
                name: inside.name.clone(),
                path: inside.path.clone(),
                key: field.name,
                spelling: field.spelling,
                shape: field.shape,
                class: field.class,
                before: at.before.clone(),
                after: at.after.clone(),
            });
            self.shape(field.shape, &inside);
        }
    }

    fn shape(&mut self, shape: Shape, at: &At) {
        match shape.inner() {
            Inner::Fields(schema) => self.object(schema, at),
            Inner::Items(item) => self.shape(item, &at.deeper("[]", "[0]", "[", "]")),
            Inner::Values(item) => self.shape(item, &at.deeper("{}", ".k", "{\"k\":", "}")),
            Inner::Nothing => {}
        }
    }
}
