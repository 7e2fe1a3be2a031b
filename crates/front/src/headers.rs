//! What the front changes of messages: what counts for one connection only is left out, and the
//! client's address is put in.

use std::net::IpAddr;

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri, Version};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Whether the method changes nothing (RFC 9110, 9.2.1), so that a request may be sent once more.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

/// Whether the request has no body.
pub(crate) fn has_no_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    !headers.contains_key(TRANSFER_ENCODING) && length.is_none_or(|length| length == "0")
}

/// The protocol that the message asks to go on with.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let named = tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    headers.get(UPGRADE).filter(|_| named).cloned()
}

fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(CONNECTION).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

/// Takes out what counts for one connection only (RFC 9110, 7.6.1). How the body is framed is for the
/// next connection to say.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| *name != CONTENT_LENGTH && *name != HOST)
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        CONNECTION,
        KEEP_ALIVE,
        PROXY_CONNECTION,
        TRANSFER_ENCODING,
        UPGRADE,
    ] {
        headers.remove(name);
    }
}

/// Makes a client's request one to a replica. `host` stands for the `Host` of a client that names none.
pub(crate) fn to_replica<B>(request: &mut Request<B>, client: IpAddr, host: &str) {
    let wants_trailers = request.headers().get_all(TE).into_iter().any(|value| {
        let text = value.to_str().unwrap_or("");
        text.split(',')
            .any(|token| token.trim().eq_ignore_ascii_case("trailers"))
    });
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned());
    let headers = request.headers_mut();
    strip(headers);
    headers.remove(TE);
    // The front has answered it, by reading on.
    headers.remove(EXPECT);
    if wants_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    // An absolute request line names the host (RFC 9112, 3.2.2).
    if let Some(host) = authority
        .as_deref()
        .or((!headers.contains_key(HOST)).then_some(host))
        && let Ok(host) = HeaderValue::from_str(host)
    {
        headers.insert(HOST, host);
    }
    if let Ok(client) = HeaderValue::from_str(&client.to_string()) {
        headers.append(FORWARDED_FOR, client);
    }
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let path = if path.is_empty() { "/" } else { path };
    if let Ok(uri) = path.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = Version::HTTP_11;
}

/// Whether an answer to such a request has no body, whatever its headers say.
pub(crate) fn is_bodiless(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_for_one_connection_goes_no_further() {
        let mut request = Request::get("http://a.example:81/x?y=1")
            .header("Connection", "close, X-Mine, Content-Length")
            .header("X-Mine", "1")
            .header("Keep-Alive", "1")
            .header("TE", "gzip, trailers")
            .header("Expect", "100-continue")
            .header("X-Forwarded-For", "10.0.0.1")
            .header("Host", "b.example")
            .body(())
            .unwrap();
        to_replica(&mut request, [127, 0, 0, 2].into(), "front");
        assert_eq!(request.uri(), "/x?y=1");
        let headers = request.headers();
        assert_eq!(headers["host"], "a.example:81");
        assert_eq!(headers["te"], "trailers");
        for gone in ["connection", "x-mine", "keep-alive", "expect"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
        let clients: Vec<_> = headers.get_all("x-forwarded-for").into_iter().collect();
        assert_eq!(clients, ["10.0.0.1", "127.0.0.2"]);
    }

    #[test]
    fn a_request_without_host_gets_one() {
        let mut request = Request::get("/").body(()).unwrap();
        to_replica(&mut request, [127, 0, 0, 2].into(), "front");
        assert_eq!(request.headers()["host"], "front");
    }

    #[test]
    fn an_upgrade_must_be_named_twice() {
        let mut headers = HeaderMap::new();
        headers.insert("upgrade", "websocket".parse().unwrap());
        assert_eq!(upgrade(&headers), None);
        headers.insert("connection", "keep-alive, Upgrade".parse().unwrap());
        assert_eq!(upgrade(&headers).unwrap(), "websocket");
    }
}
