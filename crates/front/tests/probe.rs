//! The questions of checks: what is answered, what is not, and what is late.

mod kit;

use std::time::{Duration, Instant};

use kit::{nobody, raw, read_head, server, text};
use pinion_front::probe::{connect, get};
use tokio::io::AsyncWriteExt;

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn an_answer_is_told_with_its_status_and_body() {
    let replica = server(
        |request: hyper::Request<hyper::body::Incoming>| async move {
            let mut answer = text(format!("{} of pinion", request.uri()));
            *answer.status_mut() = hyper::StatusCode::IM_A_TEAPOT;
            answer
        },
    )
    .await;
    let (status, body) = get(replica, "/health?x", SHORT).await.unwrap();
    assert_eq!((status, &body[..]), (418, &b"/health?x of pinion"[..]));
    assert_eq!(connect(replica, SHORT).await, Ok(()));
}

#[tokio::test]
async fn what_does_not_answer_is_told_in_time() {
    let nobody = nobody().await;
    assert!(
        connect(nobody, SHORT)
            .await
            .unwrap_err()
            .contains("no connection")
    );
    assert!(
        get(nobody, "/", SHORT)
            .await
            .unwrap_err()
            .contains("no connection")
    );
    let hangs = raw(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending().await
    })
    .await;
    let begun = Instant::now();
    assert_eq!(
        get(hangs, "/", SHORT).await.unwrap_err(),
        "no answer in time"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(connect(hangs, SHORT).await, Ok(()));
}

#[tokio::test]
async fn torn_and_endless_answers_are_told() {
    let torn = raw(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            .await;
    })
    .await;
    get(torn, "/", SHORT).await.unwrap_err();
    let endless = raw(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
    })
    .await;
    get(endless, "/", Duration::from_secs(10))
        .await
        .unwrap_err();
}
