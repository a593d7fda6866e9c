//! `[shared]`: what clients with an owner may use beside their own.

use crate::policy::document::Table;
use crate::policy::value::Value;
use crate::policy::{Shared, words};

pub(super) fn read(table: &mut Table<'_>) -> Shared {
    let mut names = |key| {
        let value = table.take(key);
        value
            .and_then(|value| value.list(words::pattern))
            .unwrap_or_default()
    };
    let (networks, volumes) = (names("networks"), names("volumes"));
    Shared {
        networks,
        volumes,
        images: table
            .take("images")
            .and_then(Value::boolean)
            .unwrap_or(true),
    }
}
