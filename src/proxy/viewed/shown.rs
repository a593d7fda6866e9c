//! The elements of an answer that the client may see, joined again.

use crate::decision::View;
use crate::engine_api::elements::{Elements, Form};
use crate::engine_api::{Malformed, json};
use crate::http1::Framing;
use crate::peer::Peer;

use super::super::large::{LARGE, beside_workers};

/// What is to be written to the client, one batch after the other.
#[derive(Debug)]
pub(super) struct Shown {
    view: Box<View>,
    form: Form,
    elements: Elements,
    is_chunked: bool,
    /// Whether an element stands before the next one.
    has_any: bool,
    has_ended: bool,
    batch: String,
}

impl Shown {
    pub(super) fn new(view: Box<View>, form: Form, framing: Framing) -> Self {
        Self {
            view,
            form,
            elements: Elements::new(form, MOST_OF_ELEMENT),
            is_chunked: framing == Framing::Chunked,
            has_any: false,
            has_ended: false,
            batch: String::new(),
        }
    }

    /// Reads on, up to the end of the next element; gives how many bytes it took.
    ///
    /// # Errors
    /// Why the answer cannot be shown, in words that may name what is hidden.
    pub(super) fn take(&mut self, data: &[u8]) -> Result<usize, String> {
        let next = self.elements.next(data);
        let (taken, element) = next.map_err(|fault| fault.to_string())?;
        if let Some(element) = element {
            let shown = if element.len() > LARGE {
                beside_workers(|| self.element(&element))
            } else {
                self.element(&element)
            };
            shown.map_err(|fault| fault.to_string())?;
        }
        Ok(taken)
    }

    /// Adds one element, if the client may see any of it.
    fn element(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut value = json::parse(bytes)?;
        if !self.view.show(&mut value) {
            return Ok(());
        }
        match self.form {
            Form::Array => self.batch.push(if self.has_any { ',' } else { '[' }),
            Form::Row => {}
        }
        self.has_any = true;
        value.write(&mut self.batch);
        if self.form == Form::Row {
            self.batch.push('\n');
        }
        Ok(())
    }

    /// Adds what stands after the last element.
    ///
    /// # Errors
    /// Why the answer cannot end here.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.elements.end().map_err(|fault| fault.to_string())?;
        self.has_ended = true;
        match self.form {
            Form::Row => {}
            Form::Array if self.elements.is_null() => self.batch.push_str("null\n"),
            Form::Array if self.has_any => self.batch.push_str("]\n"),
            Form::Array => self.batch.push_str("[]\n"),
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
