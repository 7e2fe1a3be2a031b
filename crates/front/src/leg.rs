//! One request to one replica: over a connection that rests, or a new one.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::body::Body;
use crate::replica::Replica;
use crate::settings::Settings;

/// How long a connection may take: to a replica it is one of loopback.
const CONNECT: Duration = Duration::from_secs(2);

/// A request that got no answer.
pub(crate) struct Failed {
    /// The request, when nothing of it was sent.
    pub unsent: Option<Box<Request<Body>>>,
    /// Whether the time was over.
    pub late: bool,
    /// What happened.
    pub why: String,
}

impl Failed {
    fn new(unsent: Option<Request<Body>>, why: impl ToString) -> Self {
        Self {
            unsent: unsent.map(Box::new),
            late: false,
            why: why.to_string(),
        }
    }
}

/// Sends the request; the answer's head, and the connection that its body comes on. `fresh`: not over
/// one that rests, which the replica may be closing at this very moment.
pub(crate) async fn send(
    settings: &Settings,
    replica: &Replica,
    request: Request<Body>,
    fresh: bool,
) -> Result<(Response<Incoming>, SendRequest<Body>), Failed> {
    let sent = async {
        let mut request = request;
        while !fresh && let Some(mut sender) = replica.resting() {
            if sender.ready().await.is_err() {
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, sender)),
                Err(error) => request = unsent(error)?,
            }
        }
        let mut sender = match connect(settings, replica).await {
            Ok(sender) => sender,
            Err(why) => return Err(Failed::new(Some(request), why)),
        };
        match sender.try_send_request(request).await {
            Ok(response) => Ok((response, sender)),
            Err(mut error) => Err(Failed::new(error.take_message(), error.error())),
        }
    };
    tokio::select! {
        sent = timeout(settings.front.answer_time, sent) => sent.unwrap_or_else(|_| Err(Failed {
            late: true,
            ..Failed::new(None, "no answer in time")
        })),
        () = replica.until_gone() => Err(Failed::new(None, "the replica was removed")),
    }
}

/// The request again, if nothing of it was sent.
fn unsent(mut error: TrySendError<Request<Body>>) -> Result<Request<Body>, Failed> {
    error
        .take_message()
        .ok_or_else(|| Failed::new(None, error.error()))
}

async fn connect(settings: &Settings, replica: &Replica) -> Result<SendRequest<Body>, String> {
    let stream = timeout(CONNECT, TcpStream::connect(replica.address)).await;
    let stream = stream.map_err(|_| "no connection in time".to_owned())?;
    let stream = stream.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let (sender, connection) = Builder::new()
        .max_buf_size(settings.front.head.max(64 << 10))
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}
