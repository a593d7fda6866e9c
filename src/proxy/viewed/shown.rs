//! The elements of an answer that the client may see, joined again.

use crate::decision::{AnswerShape, Reference, View};
use crate::engine_api::elements::{Elements, Form, Members, Part};
use crate::engine_api::json::Value;
use crate::engine_api::{Key, Malformed, json};
use crate::http1::Framing;
use crate::peer::Peer;

use super::super::large::{LARGE, beside_workers};

/// What is to be written to the client, one batch after the other.
#[derive(Debug)]
pub(super) struct Shown {
    view: Box<View>,
    parts: Parts,
    is_chunked: bool,
    /// Whether an element stands before the next one.
    has_any: bool,
    has_ended: bool,
    /// An event that waits for it to be known whose a thing is.
    waiting: Option<(Reference, Value)>,
    batch: String,
}

/// How the answer is taken apart.
#[derive(Debug)]
enum Parts {
    Array(Elements),
    Row(Elements),
    /// An object with a long list under this key.
    Object {
        members: Members,
        list: &'static str,
        /// Whether a member stands before the next one.
        has_any: bool,
    },
}

impl Shown {
    pub(super) fn new(view: Box<View>, framing: Framing) -> Self {
        let elements = |form| Elements::new(form, MOST_OF_ELEMENT);
        let parts = match view.shape() {
            AnswerShape::Stream => Parts::Row(elements(Form::Row)),
            AnswerShape::Within(list) => Parts::Object {
                members: Members::new(list, MOST_OF_ELEMENT),
                list,
                has_any: false,
            },
            AnswerShape::List | AnswerShape::Object => Parts::Array(elements(Form::Array)),
        };
        Self {
            view,
            parts,
            is_chunked: framing == Framing::Chunked,
            has_any: false,
            has_ended: false,
            waiting: None,
            batch: String::new(),
        }
    }

    /// Reads on, up to the end of the next element; gives how many bytes it took.
    ///
    /// # Errors
    /// Why the answer cannot be shown, in words that may name what is hidden.
    pub(super) fn take(&mut self, data: &[u8]) -> Result<usize, String> {
        let told = |fault: Malformed| fault.to_string();
        let (taken, part) = match &mut self.parts {
            Parts::Object { members, .. } => {
                let next = members.next(data);
                let (taken, part) = next.map_err(|fault| fault.to_string())?;
                (taken, part)
            }
            Parts::Array(elements) | Parts::Row(elements) => {
                let next = elements.next(data);
                let (taken, element) = next.map_err(|fault| fault.to_string())?;
                (taken, element.map(Part::Element))
            }
        };
        match part {
            Some(Part::Member(bytes)) => self.member(&bytes).map_err(told)?,
            Some(Part::Begins) => self.list_begins(),
            Some(Part::Element(bytes)) if bytes.len() > LARGE => {
                beside_workers(|| self.element(&bytes)).map_err(told)?;
            }
            Some(Part::Element(bytes)) => self.element(&bytes).map_err(told)?,
            Some(Part::Ends) => self.batch.push(']'),
            None => {}
        }
        Ok(taken)
    }

    /// Of what it must be known whose it is before more is read.
    pub(super) fn unknown(&self) -> Option<&Reference> {
        self.waiting.as_ref().map(|(thing, _)| thing)
    }

    /// Shows the event that waited, if any.
    pub(super) fn told(&mut self, is_own: bool) {
        if let Some((thing, event)) = self.waiting.take() {
            self.view.learn(thing, is_own);
            self.add(event);
        }
    }

    /// Adds one element, if the client may see any of it.
    fn element(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let value = json::parse(bytes)?;
        match self.view.unknown(&value) {
            Some(thing) => self.waiting = Some((thing, value)),
            None => self.add(value),
        }
        Ok(())
    }

    fn add(&mut self, value: Value) {
        let Some(value) = self.seen(value) else {
            return;
        };
        let is_row = matches!(self.parts, Parts::Row(_));
        if self.has_any && !is_row {
            self.batch.push(',');
        } else if matches!(self.parts, Parts::Array(_)) {
            self.batch.push('[');
        }
        self.has_any = true;
        value.write(&mut self.batch);
        if is_row {
            self.batch.push('\n');
        }
    }

    /// What the client may see of one element; what stands in an object is shown as it stands there.
    fn seen(&mut self, mut value: Value) -> Option<Value> {
        let Parts::Object { list, .. } = &self.parts else {
            return self.view.show(&mut value).then_some(value);
        };
        let mut object = Value::Object(vec![(Key::from(*list), Value::List(vec![value]))]);
        if !self.view.show(&mut object) {
            return None;
        }
        match object.get_mut(list) {
            Some(Value::List(left)) => left.pop(),
            Some(_) | None => None,
        }
    }

    /// Adds one member of an object, which is shown by itself.
    fn member(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut object = json::parse(&[b"{", bytes, b"}"].concat())?;
        if !self.view.show(&mut object) {
            return Ok(());
        }
        let text = object.to_string();
        self.next_member();
        let inner = text.strip_prefix('{').unwrap_or(&text);
        self.batch
            .push_str(inner.strip_suffix('}').unwrap_or(inner));
        Ok(())
    }

    fn list_begins(&mut self) {
        self.next_member();
        if let Parts::Object { list, .. } = &self.parts {
            let key = Value::Text((*list).into());
            key.write(&mut self.batch);
            self.batch.push_str(":[");
        }
    }

    fn next_member(&mut self) {
        if let Parts::Object { has_any, .. } = &mut self.parts {
            self.batch.push(if *has_any { ',' } else { '{' });
            *has_any = true;
        }
    }

    /// Adds what stands after the last element.
    ///
    /// # Errors
    /// Why the answer cannot end here.
    pub(super) fn end(&mut self) -> Result<(), String> {
        let ended = match &self.parts {
            Parts::Array(elements) | Parts::Row(elements) => elements.end(),
            Parts::Object { members, .. } => members.end(),
        };
        ended.map_err(|fault| fault.to_string())?;
        self.has_ended = true;
        match &self.parts {
            Parts::Row(_) => {}
            Parts::Array(elements) if elements.is_null() => self.batch.push_str("null\n"),
            Parts::Array(_) if self.has_any => self.batch.push_str("]\n"),
            Parts::Array(_) => self.batch.push_str("[]\n"),
            Parts::Object { has_any: true, .. } => self.batch.push_str("}\n"),
            Parts::Object { .. } => self.batch.push_str("{}\n"),
        }
        Ok(())
    }

    /// What has not been queued yet.
    pub(super) fn batch(&mut self) -> String {
        std::mem::take(&mut self.batch)
    }

    /// Whether the batch is worth a write.
    pub(super) fn is_enough(&self) -> bool {
        self.batch.len() >= BATCH
    }

    /// Queues the batch, and after the last one the end of the body; `count` grows by the bytes without framing.
    pub(super) fn queue(&mut self, client: &mut Peer, count: &mut u64) {
        let batch = self.batch();
        *count += batch.len() as u64;
        if !self.is_chunked {
            client.queue(batch.as_bytes());
            return;
        }
        if !batch.is_empty() {
            client.queue(format!("{:x}\r\n", batch.len()).as_bytes());
            client.queue(batch.as_bytes());
            client.queue(b"\r\n");
        }
        if self.has_ended {
            client.queue(b"0\r\n\r\n");
        }
    }
}

/// Bytes of one write, which one element may exceed.
const BATCH: usize = 64 * 1024;
/// Bytes of one element of an answer; of a container that was made by a body of the usual limit, whose letters the daemon
/// may write in six bytes each.
const MOST_OF_ELEMENT: usize = 32 << 20;
