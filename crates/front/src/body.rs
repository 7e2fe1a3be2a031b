//! Bodies: of clients, limited in size and patience; of replicas, which free their place when they end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tokio::time::{Instant, Sleep, sleep};

use crate::table::Place;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Any body that passes through the front.
pub(crate) enum Body {
    /// What is there as a whole.
    Whole(Option<Bytes>, Option<HeaderMap>),
    /// A client's.
    Client(Client),
    /// A replica's.
    Answer(Answer),
}

/// What went wrong with a client's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientFault {
    None,
    TooLarge,
    TooSlow,
    Broken,
}

/// What went wrong with it, to be asked afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<AtomicU8>);

/// A client's body.
pub(crate) struct Client {
    inner: Incoming,
    left: u64,
    told: Told,
    patience: Patience,
}

/// A replica's body, with its place and its connection.
pub(crate) struct Answer {
    inner: Incoming,
    hold: Option<(Place, SendRequest<Body>)>,
    patience: Patience,
}

/// A time that begins anew with each frame.
struct Patience {
    time: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Patience {
    fn new(time: Duration) -> Self {
        Self {
            time,
            sleep: Box::pin(sleep(time)),
        }
    }

    fn again(&mut self) {
        self.sleep.as_mut().reset(Instant::now() + self.time);
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        self.sleep.as_mut().poll(context).is_ready()
    }
}

impl Told {
    fn tell(&self, fault: ClientFault) -> Error {
        self.0.store(fault as u8, Ordering::Relaxed);
        match fault {
            ClientFault::TooLarge => "the body is too large".into(),
            ClientFault::TooSlow => "the body did not go on".into(),
            _ => "the body broke off".into(),
        }
    }

    pub(crate) fn fault(&self) -> ClientFault {
        match self.0.load(Ordering::Relaxed) {
            1 => ClientFault::TooLarge,
            2 => ClientFault::TooSlow,
            3 => ClientFault::Broken,
            _ => ClientFault::None,
        }
    }
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::Whole(None, None)
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Whole(Some(Bytes::copy_from_slice(text.as_bytes())), None)
    }

    /// A client's body of at most `most` bytes, which may stand still for `time`.
    pub(crate) fn client(inner: Incoming, most: u64, time: Duration) -> (Self, Told) {
        let told = Told::default();
        let client = Client {
            inner,
            left: most,
            told: told.clone(),
            patience: Patience::new(time),
        };
        (Self::Client(client), told)
    }

    /// A replica's body.
    pub(crate) fn answer(
        inner: Incoming,
        place: Place,
        sender: SendRequest<Body>,
        time: Duration,
    ) -> Self {
        let mut answer = Answer {
            inner,
            hold: Some((place, sender)),
            patience: Patience::new(time),
        };
        if http_body::Body::is_end_stream(&answer.inner) {
            answer.release();
        }
        Self::Answer(answer)
    }
}

impl Answer {
    /// Nothing more comes: the connection rests.
    fn release(&mut self) {
        if let Some((place, sender)) = self.hold.take() {
            place.replica.rest(sender);
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Body::Whole(bytes, trailers) => {
                let data = bytes
                    .take()
                    .filter(|bytes| !bytes.is_empty())
                    .map(Frame::data);
                let frame = data.or_else(|| trailers.take().map(Frame::trailers));
                Poll::Ready(frame.map(Ok))
            }
            Body::Client(client) => client.poll(context),
            Body::Answer(answer) => answer.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(bytes, trailers) => {
                bytes.as_ref().is_none_or(Bytes::is_empty) && trailers.is_none()
            }
            Body::Client(client) => client.inner.is_end_stream(),
            Body::Answer(answer) => answer.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(_, Some(_)) => SizeHint::new(),
            Body::Whole(bytes, None) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Body::Client(client) => client.inner.size_hint(),
            Body::Answer(answer) => answer.inner.size_hint(),
        }
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, Error>>>;

impl Client {
    fn poll(&mut self, context: &mut Context<'_>) -> Polled {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) else {
            if self.patience.is_over(context) {
                return Poll::Ready(Some(Err(self.told.tell(ClientFault::TooSlow))));
            }
            return Poll::Pending;
        };
        self.patience.again();
        let Some(frame) = frame else {
            return Poll::Ready(None);
        };
        let Ok(frame) = frame else {
            return Poll::Ready(Some(Err(self.told.tell(ClientFault::Broken))));
        };
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(size) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Some(Err(self.told.tell(ClientFault::TooLarge)))),
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

impl Answer {
    fn poll(&mut self, context: &mut Context<'_>) -> Polled {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if polled.is_pending() && self.patience.is_over(context) {
            self.hold = None;
            return Poll::Ready(Some(Err("the replica's answer did not go on".into())));
        }
        let frame = ready!(polled);
        self.patience.again();
        match &frame {
            Some(Err(_)) => self.hold = None,
            _ if frame.is_none() || self.inner.is_end_stream() => self.release(),
            _ => {}
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }
}
use http_body::Body as _;
