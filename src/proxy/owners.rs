//! Whose a thing is, asked of the daemon where nothing else of it matters.

use crate::daemon::Question;
use crate::decision::Found;
use crate::engine_api::{Kind, Owned, existing_exec, service_of_task};

use super::lookups::Asker;

impl Asker {
    pub(super) async fn thing(&mut self, kind: Kind, name: &str) -> Found<Owned> {
        let question = match kind {
            Kind::Container => Question::Container(name),
            Kind::Image => Question::ImageByName(name),
            Kind::Service => Question::Service(name),
            Kind::Secret => Question::Secret(name),
            Kind::Config => Question::Config(name),
            Kind::Exec => return self.exec(name).await,
            Kind::Task => return self.task(name).await,
        };
        self.ask(question, |bytes| Owned::read(kind, bytes)).await
    }

    async fn exec(&mut self, id: &str) -> Found<Owned> {
        let read = |bytes: &[u8]| existing_exec(bytes, id);
        let container = match self.ask(Question::Exec(id), read).await {
            Found::Is(exec) => exec.container,
            Found::Answered { status, message } => return Found::Answered { status, message },
            Found::Unknown(cause) => return Found::Unknown(cause),
        };
        let read = |bytes: &[u8]| Owned::read(Kind::Container, bytes);
        let container = self.ask(Question::Container(&container), read).await;
        belonging(container, id)
    }

    async fn task(&mut self, name: &str) -> Found<Owned> {
        let (id, service) = match self.ask(Question::Task(name), service_of_task).await {
            Found::Is(told) => told,
            Found::Answered { status, message } => return Found::Answered { status, message },
            Found::Unknown(cause) => return Found::Unknown(cause),
        };
        let read = |bytes: &[u8]| Owned::read(Kind::Service, bytes);
        let service = self.ask(Question::Service(&service), read).await;
        belonging(service, &id)
    }
}

/// What belongs to something that is gone by now was anyone's.
fn belonging(to: Found<Owned>, id: &str) -> Found<Owned> {
    match to {
        Found::Is(owned) => Found::Is(Owned {
            id: id.to_owned(),
            ..owned
        }),
        Found::Answered { message, .. } | Found::Unknown(message) => Found::Unknown(message),
    }
}
