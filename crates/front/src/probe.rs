//! Asks a replica, as its checks do: one connection, one request.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::body::Body;

/// The most bytes of an answer.
const MOST: usize = 1 << 20;

/// Whether something accepts connections there, within `time`.
///
/// # Errors
/// What happened instead.
pub async fn connect(address: SocketAddr, time: Duration) -> Result<(), String> {
    let connected = timeout(time, TcpStream::connect(address)).await;
    let connected = connected.map_err(|_| "no connection in time".to_owned())?;
    connected
        .map(drop)
        .map_err(|error| format!("no connection: {error}"))
}

/// The status and the body of a GET of `path`, within `time`.
///
/// # Errors
/// What happened instead.
pub async fn get(
    address: SocketAddr,
    path: &str,
    time: Duration,
) -> Result<(u16, Vec<u8>), String> {
    timeout(time, ask(address, path))
        .await
        .map_err(|_| "no answer in time".to_owned())?
}

async fn ask(address: SocketAddr, path: &str) -> Result<(u16, Vec<u8>), String> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| format!("no connection: {error}"))?;
    let handshake = handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path)
        .header(HOST, "pinion")
        .body(Body::empty());
    let request = request.map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MOST).collect().await;
        let body = body.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes().to_vec()))
    };
    let answer = answer.await;
    connection.abort();
    answer
}
