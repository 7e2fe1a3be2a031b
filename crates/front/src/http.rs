//! A client's connection: accepted, counted, spoken to in HTTP; each request goes the way of the mode.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use pinion_group::config::{Mode, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::body::Body;
use crate::patient::Patient;
use crate::table::Refusal;
use crate::{Counts, Inner, balance, tcp, vote};

/// After a failed accept.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a client that is turned away may take to hear so.
const GOODBYE: Duration = Duration::from_secs(1);

const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Accepts for ever.
pub(crate) async fn accept(front: &Arc<Inner>, listener: TcpListener) {
    loop {
        let Ok((stream, client)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let front = Arc::clone(front);
        let open = front.counts.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            let _counted = Counted(&front);
            let _ = stream.set_nodelay(true);
            if open >= front.settings.front.connections as u64 {
                turn_away(&front, stream, open).await;
            } else if front.settings.front.protocol == Protocol::Tcp {
                tcp::relay(&front, stream).await;
            } else {
                converse(&front, stream, client).await;
            }
        });
    }
}

struct Counted<'a>(&'a Inner);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.counts.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tells a client that there are too many, and waits a little for it to have heard: closed at once,
/// what it has sent meanwhile would make the system take the answer back. Those beyond twice the
/// bound hear nothing.
async fn turn_away(front: &Inner, mut stream: TcpStream, open: u64) {
    Counts::count(&front.counts.refused);
    let bound = front.settings.front.connections as u64;
    if front.settings.front.protocol == Protocol::Tcp || open >= bound.saturating_mul(2) {
        return;
    }
    let tell = async {
        stream.write_all(TOO_MANY).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = timeout(GOODBYE, tell).await;
}

async fn converse(front: &Arc<Inner>, stream: TcpStream, client: SocketAddr) {
    let settings = &front.settings;
    let host = stream
        .local_addr()
        .map_or_else(|_| "pinion".into(), |at| at.to_string());
    let service = service_fn(|request| {
        let (front, host) = (Arc::clone(front), host.clone());
        async move { Ok::<_, Infallible>(answer(&front, request, client, &host).await) }
    });
    let stream = Patient::new(stream, settings.front.idle_time);
    // What is wrong with the connection is the client's to notice.
    let _ = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.front.head_time)
        .max_buf_size(settings.front.head)
        .max_headers(settings.front.headers)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn answer(
    front: &Arc<Inner>,
    request: Request<Incoming>,
    client: SocketAddr,
    host: &str,
) -> Response<Body> {
    Counts::count(&front.counts.requests);
    if request.method() == Method::CONNECT {
        return own(
            StatusCode::METHOD_NOT_ALLOWED,
            "this is no proxy for other servers",
        );
    }
    if declared(request.headers()).is_some_and(|length| length > front.settings.front.body) {
        return closing(own(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
    }
    match front.settings.front.mode {
        Mode::Balance => balance::answer(front, request, client.ip(), host).await,
        Mode::Vote => vote::answer(front, request, client.ip(), host).await,
    }
}

/// The length that a message says it has.
pub(crate) fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// An answer of the front's own.
pub(crate) fn own(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::text(&format!("{text}\n")));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// The same, after which the client must connect anew: what it sends is not read any more.
pub(crate) fn closing(mut response: Response<Body>) -> Response<Body> {
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// 503.
pub(crate) fn refused(front: &Inner, why: Refusal) -> Response<Body> {
    Counts::count(&front.counts.refused);
    let mut response = own(StatusCode::SERVICE_UNAVAILABLE, why.text());
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// 502, or 504 when the time was over.
pub(crate) fn failed(front: &Inner, late: bool, why: &str) -> Response<Body> {
    Counts::count(&front.counts.failed);
    let status = if late {
        StatusCode::GATEWAY_TIMEOUT
    } else {
        StatusCode::BAD_GATEWAY
    };
    own(status, why)
}
