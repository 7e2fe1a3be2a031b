//! A client's connection that may stand still only so long while something is written to it: a client
//! that does not read holds a replica's answer. At its end what the client still sends is read for a
//! moment: closed at once, it would make the system take back an answer that the client has not read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep, timeout};

/// How long, and how many bytes, a client may send that has been answered for the last time.
const GOODBYE: Duration = Duration::from_millis(500);
const MOST: u64 = 1 << 20;

/// The connection.
pub(crate) struct Patient {
    /// Gone when this is dropped.
    inner: Option<TcpStream>,
    /// Whether all was written, and the client may still send.
    is_over: bool,
    time: Duration,
    stands: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(crate) fn new(inner: TcpStream, time: Duration) -> Self {
        Self {
            inner: Some(inner),
            is_over: false,
            time,
            stands: None,
        }
    }

    fn inner(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.inner.as_mut().expect("there until dropped"))
    }

    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stands = None;
            return polled;
        }
        let time = self.time;
        let sleep = self.stands.get_or_insert_with(|| Box::pin(sleep(time)));
        match sleep.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = this.inner().poll_read(context, buffer);
        if !polled.is_pending() && buffer.filled().len() == before {
            this.is_over = false;
        }
        polled
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = this.inner().poll_write(context, bytes);
        this.judge(context, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().inner().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.is_over = true;
        this.inner().poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner
            .as_ref()
            .is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = this.inner().poll_write_vectored(context, bytes);
        this.judge(context, polled)
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        let (Some(inner), true, Ok(runtime)) =
            (self.inner.take(), self.is_over, Handle::try_current())
        else {
            return;
        };
        runtime.spawn(async move {
            let mut rest = inner.take(MOST);
            let _ = timeout(GOODBYE, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        });
    }
}
