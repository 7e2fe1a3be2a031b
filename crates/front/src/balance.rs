//! Balance mode: a request goes to the replica with the fewest. One that failed before any byte of an
//! answer went out is sent to another, when its method is safe or nothing of it was sent.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use crate::body::{Body, ClientFault, Told};
use crate::leg::{self, Failed};
use crate::table::{Place, Refusal, Table};
use crate::{Counts, Inner, headers, http, upgrade};

/// How often a request is sent in all.
const TRIES: usize = 6;

/// Answers a request.
pub(crate) async fn answer(
    front: &Arc<Inner>,
    mut request: Request<Incoming>,
    client: IpAddr,
    host: &str,
) -> Response<Body> {
    let settings = &front.settings;
    let protocol = headers::upgrade(request.headers());
    let mut upgrade = protocol.is_some().then(|| hyper::upgrade::on(&mut request));
    let bodiless = headers::has_no_body(request.headers());
    headers::to_replica(&mut request, client, host);
    if let Some(protocol) = protocol {
        upgrade::ask(request.headers_mut(), protocol);
    }
    let again = headers::is_safe(request.method()) && bodiless && upgrade.is_none();
    let (parts, body) = request.into_parts();
    let (body, told) = if bodiless {
        (Body::empty(), Told::default())
    } else {
        Body::client(body, settings.front.body, settings.front.idle_time)
    };
    let mut next = Some(Request::from_parts(parts.clone(), body));
    let mut tried = Vec::new();
    loop {
        let place = match Table::place(front, &tried).await {
            Ok(place) => place,
            Err(refusal) => return http::refused(front, refusal),
        };
        let Some(request) = next.take() else {
            return http::failed(front, false, "the request cannot be sent once more");
        };
        tried.push(place.replica.id);
        let failed = match once(front, request, place, again, &mut upgrade).await {
            Ok(response) => return response,
            Err(failed) => failed,
        };
        if told.fault() != ClientFault::None {
            return of_the_client(told.fault());
        }
        // It is down, and nobody has noticed yet: as if it did not serve any more.
        if failed.unsent.is_some() && tried.len() >= TRIES {
            return http::refused(front, Refusal::Nobody);
        }
        next = failed
            .unsent
            .map(|unsent| *unsent)
            .or_else(|| again.then(|| anew(&parts)));
        if next.is_none() || failed.late || tried.len() >= TRIES {
            return http::failed(
                front,
                failed.late,
                &format!("the replica gave no answer: {}", failed.why),
            );
        }
        Counts::count(&front.counts.retried);
    }
}

fn anew(parts: &Parts) -> Request<Body> {
    Request::from_parts(parts.clone(), Body::empty())
}

fn of_the_client(fault: ClientFault) -> Response<Body> {
    http::closing(match fault {
        ClientFault::TooLarge => http::own(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        ClientFault::TooSlow => http::own(StatusCode::REQUEST_TIMEOUT, "the body did not go on"),
        _ => http::own(StatusCode::BAD_REQUEST, "the body broke off"),
    })
}

/// Sends the request to the replica of this place.
async fn once(
    front: &Arc<Inner>,
    request: Request<Body>,
    place: Place,
    again: bool,
    upgrade: &mut Option<hyper::upgrade::OnUpgrade>,
) -> Result<Response<Body>, Failed> {
    let method = request.method().clone();
    let (mut response, sender) =
        leg::send(&front.settings, &place.replica, request, !again).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(client) = upgrade.take() else {
            return Ok(http::failed(
                front,
                false,
                "the replica changed the protocol unasked",
            ));
        };
        return Ok(upgrade::go_on(&mut response, client, place));
    }
    headers::strip(response.headers_mut());
    let whole = http::declared(response.headers())
        .is_some_and(|length| length <= front.settings.front.whole);
    if !again || !whole || headers::is_bodiless(&method, response.status()) {
        let time = front.settings.front.idle_time;
        return Ok(response.map(|body| Body::answer(body, place, sender, time)));
    }
    whole_answer(front, response, place, sender, &method).await
}

/// Reads a small answer to its end first, so that a replica which dies meanwhile is not seen.
async fn whole_answer(
    front: &Inner,
    response: Response<Incoming>,
    place: Place,
    sender: SendRequest<Body>,
    method: &Method,
) -> Result<Response<Body>, Failed> {
    debug_assert!(*method != Method::HEAD);
    let (parts, body) = response.into_parts();
    let failed = |why: String, late| Failed {
        unsent: None,
        late,
        why,
    };
    let body: Bytes = tokio::select! {
        read = timeout(front.settings.front.answer_time, body.collect()) => match read {
            Ok(Ok(read)) => read.to_bytes(),
            Ok(Err(error)) => return Err(failed(error.to_string(), false)),
            Err(_) => return Err(failed("the answer did not end in time".into(), true)),
        },
        () = place.replica.until_gone() => return Err(failed("the replica was removed".into(), false)),
    };
    place.replica.rest(sender);
    Ok(Response::from_parts(parts, Body::Whole(Some(body), None)))
}
