//! Where the gate tells how it is: health, readiness and metrics, for those on this machine, and nothing else.

mod answer;
mod ready;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf as _;
use tokio::sync::{Semaphore, watch};
use tokio::time;

use crate::http1::{HeadSearch, Request};
use crate::peer::{Peer, Stream};
use crate::proxy::listener::{Accepted, Listener};
use crate::proxy::{Phase, Server};

use answer::Answer;
use ready::Readiness;

/// The listener of the gate's own.
#[derive(Debug)]
pub struct Admin {
    server: Arc<Server>,
    phase: watch::Receiver<Phase>,
    readiness: Readiness,
    places: Arc<Semaphore>,
}

impl Admin {
    #[must_use]
    pub fn new(server: Arc<Server>, phase: watch::Receiver<Phase>) -> Arc<Self> {
        Arc::new(Self {
            server,
            phase,
            readiness: Readiness::default(),
            places: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// Answers one request on each connection, until the task is ended.
    ///
    /// # Errors
    /// Those of handing the listener to the runtime.
    pub async fn run(self: Arc<Self>, listener: Listener) -> io::Result<()> {
        let listener = listener.open()?;
        loop {
            let accepted = listener.accept().await.and_then(|accepted| match accepted {
                Accepted::Unix(stream) => Stream::unix(stream),
                Accepted::Tcp(stream) => Ok(Stream::Tcp(stream)),
            });
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection of the admin listener");
                    time::sleep(PAUSE).await;
                    continue;
                }
            };
            // Who comes over the limit is not answered: whoever scrapes asks again.
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                let admin = Arc::clone(&self);
                tokio::spawn(async move {
                    let _place = place;
                    let _ = time::timeout(DEADLINE, admin.serve(Peer::new(stream))).await;
                });
            }
        }
    }

    async fn serve(&self, mut peer: Peer) {
        let answer = match head(&mut peer).await {
            Ok(request) => self.answer(request).await,
            Err(Some(answer)) => answer,
            Err(None) => return,
        };
        answer.queue(&mut peer);
        // Whether it hears of it is the client's affair.
        let _ = peer.end().await;
    }

    async fn answer(&self, request: Request) -> Answer {
        if let Some(refusal) = answer::refusal(&request) {
            return refusal;
        }
        let path = request.target.split('?').next().unwrap_or_default();
        match path {
            "/healthz" => Answer::text(200, "ok\n"),
            "/readyz" if *self.phase.borrow() != Phase::Running => {
                Answer::text(503, "not ready: the gate is ending\n")
            }
            "/readyz" => match self.readiness.check(&self.server.gate()).await {
                Ok(()) => Answer::text(200, "ready\n"),
                Err(cause) => Answer::text(503, format!("not ready: {cause}\n")),
            },
            "/metrics" => Answer::metrics(self.server.gate().metrics.text()),
            _ => Answer::text(404, "there are /healthz, /readyz and /metrics\n"),
        }
    }
}

/// The head of the one request; an answer where it is none, nothing where the client has gone.
async fn head(peer: &mut Peer) -> Result<Request, Option<Answer>> {
    let mut search = HeadSearch::default();
    loop {
        let malformed = |fault: crate::http1::HeadFault| Some(Answer::fault(&fault));
        if let Some(end) = search.end(&peer.input).map_err(malformed)? {
            let head = peer.input.get(..end).unwrap_or_default();
            let request = Request::parse(head, HEADERS).map_err(malformed)?;
            peer.input.advance(end);
            return Ok(request);
        }
        if peer.input.len() > HEAD_BYTES {
            return Err(Some(Answer::text(431, "the head is too large\n")));
        }
        match poll_fn(|cx| peer.poll_fill(cx)).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) => {}
        }
    }
}

/// At once; a scraper needs one.
const CONNECTIONS: usize = 16;
/// For a connection from its first byte to its last.
const DEADLINE: Duration = Duration::from_secs(10);
const HEAD_BYTES: usize = 8 * 1024;
const HEADERS: usize = 64;
/// After an error of accepting.
const PAUSE: Duration = Duration::from_millis(200);
