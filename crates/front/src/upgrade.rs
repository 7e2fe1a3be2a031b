//! A connection that goes on in another protocol, such as WebSocket: bytes from end to end.

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Response};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::body::Body;
use crate::headers;
use crate::table::Place;

/// Puts the wish for another protocol into a message.
pub(crate) fn ask(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(UPGRADE, protocol);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
}

/// The replica agreed: tells the client so, and carries bytes from then on. The place is held until the end.
pub(crate) fn go_on(
    response: &mut Response<Incoming>,
    client: OnUpgrade,
    place: Place,
) -> Response<Body> {
    let protocol = headers::upgrade(response.headers());
    let replica = hyper::upgrade::on(&mut *response);
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    headers::strip(answer.headers_mut());
    if let Some(protocol) = protocol {
        ask(answer.headers_mut(), protocol);
    }
    tokio::spawn(async move {
        let both = async {
            let (client, replica) = (client.await.ok()?, replica.await.ok()?);
            let (mut client, mut replica) = (TokioIo::new(client), TokioIo::new(replica));
            copy_bidirectional(&mut client, &mut replica).await.ok()
        };
        tokio::select! {
            _ = both => {}
            () = place.replica.until_gone() => {}
        }
    });
    answer
}
