//! Clients that are slow, and clients that stand still: the first are served, the others hold nothing.

mod kit;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use kit::{Fronted, Got, LONG, server, settings, text, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// More than all buffers on the way take.
const LARGE: usize = 32 << 20;

async fn fronted() -> Fronted {
    let large = server(
        |request: hyper::Request<hyper::body::Incoming>| async move {
            let body = request.into_body().collect().await;
            match body.map_or_else(|_| Bytes::new(), |body| body.to_bytes()) {
                body if body.is_empty() => text("x".repeat(LARGE)),
                _ => text("taken"),
            }
        },
    )
    .await;
    let settings = settings(
        "head_time = '300ms'\nidle_time = '300ms'\nper_replica = 1",
        "",
    );
    Fronted::new(settings, &[large]).await
}

async fn asked(fronted: &Fronted) -> TcpStream {
    let mut stream = TcpStream::connect(fronted.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_nothing_for_long() {
    let fronted = fronted().await;
    let _still = asked(&fronted).await;
    until(|| (fronted.front.requests()[0].2 == 1).then_some(())).await;
    // Its place is free again, and its connection closed, though it never read.
    until(|| (fronted.front.requests()[0].2 == 0).then_some(())).await;
    until(|| (fronted.front.figures().connections == 0).then_some(())).await;
    let mut all = Vec::new();
    let mut next = asked(&fronted).await;
    let read = timeout(LONG, next.read_to_end(&mut all)).await;
    read.expect("in time").unwrap();
    assert!(all.len() > LARGE);
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_all() {
    let fronted = fronted().await;
    let mut slow = asked(&fronted).await;
    let (mut read, mut part) = (0, vec![0; 2 << 20]);
    loop {
        // Slower by far than the answer comes, and never still for as long as it may be.
        sleep(Duration::from_millis(30)).await;
        match timeout(LONG, slow.read(&mut part)).await.expect("in time") {
            Ok(0) => break,
            Ok(some) => read += some,
            Err(error) => panic!("after {read} bytes: {error}"),
        }
    }
    assert!(read > LARGE, "{read}");
}

#[tokio::test]
async fn a_client_that_writes_slowly_is_heard() {
    let fronted = fronted().await;
    let mut slow = TcpStream::connect(fronted.address).await.unwrap();
    let request = "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 8\r\n\r\n";
    slow.write_all(request.as_bytes()).await.unwrap();
    for _ in 0..8 {
        sleep(Duration::from_millis(60)).await;
        slow.write_all(b"x").await.unwrap();
    }
    let mut all = Vec::new();
    let read = timeout(LONG, slow.read_to_end(&mut all)).await;
    read.expect("in time").unwrap();
    assert_eq!(Got::of(&all).body, "taken");
}
