//! A daemon that does nothing: it answers what was prepared, fast enough to vanish beside a gate.

mod answers;
mod head;

use std::io;
use std::path::Path;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use answers::{Answer, Answers};
use head::Head;

/// Serves until it is killed.
pub(crate) fn run(socket: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let answers: &'static Answers = Box::leak(Box::new(Answers::prepared()));
        let listener = UnixListener::bind(socket).expect("the engine's socket");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // However a connection ends, the next is served.
            tokio::spawn(async move { serve(stream, answers).await });
        }
    });
}

async fn serve(mut stream: UnixStream, answers: &Answers) -> io::Result<()> {
    let mut input = BytesMut::with_capacity(READ);
    loop {
        let head = loop {
            if let Some(head) = Head::find(&input) {
                break head;
            }
            if read(&mut stream, &mut input).await? == 0 {
                return Ok(());
            }
        };
        let answer = answers.to(&input[..head.length]);
        input.advance(head.length);
        let mut left = head.body;
        while left > 0 {
            let here = left.min(input.len() as u64);
            input.advance(usize::try_from(here).expect("no more than there is"));
            left -= here;
            if left > 0 && read(&mut stream, &mut input).await? == 0 {
                return Ok(());
            }
        }
        match answer {
            Answer::Whole(bytes) => stream.write_all(bytes).await?,
            Answer::Repeated { head, block, times } => {
                stream.write_all(head).await?;
                for _ in 0..times {
                    stream.write_all(block).await?;
                }
                stream.write_all(b"0\r\n\r\n").await?;
            }
            Answer::Echo(bytes) => {
                stream.write_all(bytes).await?;
                return echo(stream, input).await;
            }
        }
    }
}

/// What comes goes back, until the client ends.
async fn echo(mut stream: UnixStream, mut input: BytesMut) -> io::Result<()> {
    loop {
        stream.write_all(&input).await?;
        input.clear();
        if read(&mut stream, &mut input).await? == 0 {
            return stream.shutdown().await;
        }
    }
}

async fn read(stream: &mut UnixStream, input: &mut BytesMut) -> io::Result<usize> {
    input.reserve(READ);
    stream.read_buf(input).await
}

const READ: usize = 128 * 1024;
