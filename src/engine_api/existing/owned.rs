//! Whose a thing is that exists already: its full id and the label of its owner, whatever else the daemon says of it.

use std::ops::Deref;

use super::super::Malformed;
use super::super::json::{self, Json, MemberKey, Value};
use super::OWNER_LABEL;

/// Kinds of things that are only looked up for whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Container,
    /// An exec instance, which belongs to its container's owner.
    Exec,
    Image,
    Service,
    /// A task, which belongs to its service's owner.
    Task,
    Secret,
    Config,
}

/// A thing, and whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owned {
    /// As long as the daemon writes it; what it names never changes.
    pub id: String,
    /// The value of [`OWNER_LABEL`].
    pub owner: Option<String>,
    /// Where containers of an image get volumes without a name.
    pub volumes: Vec<String>,
}

impl Owned {
    /// Reads the answer to the inspection of a container, image, service, secret or config.
    ///
    /// # Errors
    /// [`Malformed`] where it has no id.
    pub fn read(kind: Kind, bytes: &[u8]) -> Result<Self, Malformed> {
        let answer = json::parse(bytes)?;
        let (id, labels) = match kind {
            Kind::Container | Kind::Image => ("Id", "Config"),
            Kind::Service | Kind::Secret | Kind::Config => ("ID", "Spec"),
            Kind::Exec | Kind::Task => return Err(Malformed::Body(String::new())),
        };
        let id = answer.text(id);
        if id.is_empty() {
            return Err(Malformed::Body("it has no id".to_owned()));
        }
        let labelled = answer.get(labels);
        let volumes = labelled.and_then(|config| config.get("Volumes"));
        let volumes = volumes.into_iter().flat_map(Value::members);
        Ok(Self {
            id: id.to_owned(),
            owner: labelled.and_then(owner_in),
            volumes: volumes.map(|(target, _)| target.to_string()).collect(),
        })
    }
}

/// Reads the answer to `TaskInspect`: the ids of the task and of its service.
///
/// # Errors
/// [`Malformed`] where it lacks one.
pub fn service_of_task(bytes: &[u8]) -> Result<(String, String), Malformed> {
    let answer = json::parse(bytes)?;
    let (task, service) = (answer.text("ID"), answer.text("ServiceID"));
    if task.is_empty() || service.is_empty() {
        return Err(Malformed::Body("it belongs to no service".to_owned()));
    }
    Ok((task.to_owned(), service.to_owned()))
}

/// The value of [`OWNER_LABEL`] among the `Labels` of this object.
pub(super) fn owner_in<K: MemberKey<T>, T: Deref<Target = str>>(
    labelled: &Json<K, T>,
) -> Option<String> {
    let label = labelled.get("Labels")?.get(OWNER_LABEL)?;
    Some(label.as_text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_stands_where_each_kind_has_its_labels() {
        let labels = r#"{"Labels":{"dockgate.owner":"a","other":"b"}}"#;
        for (kind, id, place) in [
            (Kind::Container, "Id", "Config"),
            (Kind::Image, "Id", "Config"),
            (Kind::Service, "ID", "Spec"),
            (Kind::Secret, "ID", "Spec"),
            (Kind::Config, "ID", "Spec"),
        ] {
            let text =
                format!(r#"{{"{id}":"x1","{place}":{labels},"Labels":{{"dockgate.owner":"z"}}}}"#);
            let owned = Owned::read(kind, text.as_bytes()).unwrap();
            assert_eq!(
                (owned.id.as_str(), owned.owner.as_deref()),
                ("x1", Some("a")),
                "{kind:?}"
            );
            let without = Owned::read(kind, format!(r#"{{"{id}":"x1"}}"#).as_bytes()).unwrap();
            assert_eq!(without.owner, None, "{kind:?}");
            assert!(Owned::read(kind, b"{}").is_err(), "{kind:?}");
        }
        assert!(Owned::read(Kind::Task, br#"{"ID":"x1"}"#).is_err());
    }

    #[test]
    fn a_task_belongs_to_its_service() {
        let told = service_of_task(br#"{"ID":"t","ServiceID":"s"}"#).unwrap();
        assert_eq!(told, ("t".to_owned(), "s".to_owned()));
        assert!(service_of_task(br#"{"ID":"t"}"#).is_err());
    }
}
