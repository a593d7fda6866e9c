//! The elements of an answer that the client may see, joined again.

use crate::decision::View;
use crate::engine_api::elements::Form;
use crate::engine_api::{Malformed, json};
use crate::http1::Framing;
use crate::peer::Peer;

/// What is to be written to the client, one batch after the other.
#[derive(Debug)]
pub(super) struct Shown {
    view: Box<View>,
    form: Form,
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
            is_chunked: framing == Framing::Chunked,
            has_any: false,
            has_ended: false,
            batch: String::new(),
        }
    }

    /// Adds one element, if the client may see any of it.
    pub(super) fn element(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
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
    pub(super) fn end(&mut self, is_null: bool) {
        self.has_ended = true;
        match self.form {
            Form::Row => {}
            Form::Array if is_null => self.batch.push_str("null\n"),
            Form::Array if self.has_any => self.batch.push_str("]\n"),
            Form::Array => self.batch.push_str("[]\n"),
        }
    }

    /// Whether the batch is worth a write.
    pub(super) fn is_enough(&self) -> bool {
        self.batch.len() >= BATCH
    }

    /// Queues the batch, and after the last one the end of the body; `count` grows by the bytes without framing.
    pub(super) fn queue(&mut self, client: &mut Peer, count: &mut u64) {
        let batch = std::mem::take(&mut self.batch);
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
