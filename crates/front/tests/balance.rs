//! Balance mode, with servers that fail in every way.

mod kit;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper_util::rt::TokioIo;
use kit::{Fronted, Got, LONG, nobody, raw, read_head, says, server, settings, text, until};
use pinion_front::Report;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

fn plain() -> pinion_front::Settings {
    settings("", "")
}

#[tokio::test]
async fn requests_are_spread_and_the_client_is_named() {
    let echo = |id: &'static str| {
        server(move |request: hyper::Request<_>| async move {
            let client = request.headers()["x-forwarded-for"]
                .to_str()
                .unwrap()
                .to_owned();
            text(format!("{id} {} {client}", request.uri()))
        })
    };
    let fronted = Fronted::new(plain(), &[echo("a").await, echo("b").await]).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let got = fronted.get("/x?y").await;
        assert_eq!(got.status, 200);
        assert!(got.body.ends_with(" /x?y 127.0.0.1"), "{got:?}");
        seen.push(got.body.chars().next().unwrap());
    }
    assert_eq!(seen, ['a', 'b', 'a', 'b']);
}

#[tokio::test]
async fn a_connection_carries_many_requests() {
    let fronted = Fronted::new(plain(), &[says("x").await]).await;
    let mut stream = TcpStream::connect(fronted.address).await.unwrap();
    // Pipelined, too.
    stream
        .write_all(&b"GET /1 HTTP/1.1\r\nHost: t\r\n\r\n".repeat(3))
        .await
        .unwrap();
    let mut all = String::new();
    while all.matches("200 OK").count() < 3 || !all.ends_with('x') {
        let mut part = [0; 1000];
        let read = timeout(LONG, stream.read(&mut part))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(read, 0);
        all += std::str::from_utf8(&part[..read]).unwrap();
    }
}

#[tokio::test]
async fn safe_requests_go_to_another_replica() {
    let closes = raw(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let cuts = raw(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            .await;
    })
    .await;
    let fronted = Fronted::new(
        plain(),
        &[nobody().await, closes, cuts, says("sound").await],
    )
    .await;
    for _ in 0..8 {
        let got = fronted.get("/").await;
        assert_eq!((got.status, got.body.as_str()), (200, "sound"));
    }
    assert!(fronted.front.figures().retried >= 3);
    assert_eq!(fronted.front.figures().failed, 0);
}

#[tokio::test]
async fn others_are_sent_once() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let closes = raw(move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            read_head(&mut stream).await;
            counted.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let fronted = Fronted::new(plain(), &[closes, closes]).await;
    assert_eq!(fronted.post("/", "x").await.status, 502);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    // One that could not be sent at all is another thing.
    let fronted = Fronted::new(plain(), &[nobody().await, nobody().await]).await;
    assert_eq!(fronted.post("/", "x").await.status, 503);
    let fronted = Fronted::new(plain(), &[nobody().await, says("sound").await]).await;
    for _ in 0..3 {
        assert_eq!(fronted.post("/", "").await.status, 200);
    }
}

#[tokio::test]
async fn nobody_serves_and_that_is_told_at_once() {
    let fronted = Fronted::new(plain(), &[says("x").await]).await;
    fronted.front.remove(1);
    let got = fronted.get("/").await;
    assert_eq!(got.status, 503);
    assert!(got.head.contains("retry-after"));
    fronted.front.add(2, says("back").await);
    assert_eq!(fronted.get("/").await.body, "back");
}

#[tokio::test]
async fn the_queue_has_a_bound() {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let slow = server(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            text("done")
        }
    })
    .await;
    let settings = settings("per_replica = 1\nqueue = 2", "");
    let fronted = Arc::new(Fronted::new(settings, &[slow]).await);
    let ask = || {
        let fronted = Arc::clone(&fronted);
        tokio::spawn(async move { fronted.get("/").await.status })
    };
    let asked: Vec<_> = (0..3).map(|_| ask()).collect();
    until(|| (fronted.front.figures().waiting == 2).then_some(())).await;
    assert_eq!(fronted.get("/").await.status, 503);
    for _ in 0..3 {
        until(|| (fronted.front.requests()[0].2 > 0).then_some(())).await;
        go.notify_one();
        sleep(Duration::from_millis(20)).await;
    }
    for asked in asked {
        assert_eq!(timeout(LONG, asked).await.unwrap().unwrap(), 200);
    }
    assert_eq!(fronted.front.figures().most_waiting, 2);
}

#[tokio::test]
async fn what_hangs_is_left_when_it_is_removed() {
    let hangs = raw(|mut stream| async move {
        read_head(&mut stream).await;
        sleep(LONG).await;
    })
    .await;
    let fronted = Arc::new(Fronted::new(plain(), &[hangs, says("sound").await]).await);
    let asking = Arc::clone(&fronted);
    let asked = tokio::spawn(async move { asking.get("/").await });
    until(|| (fronted.front.requests()[0].2 == 1).then_some(())).await;
    fronted.front.remove(1);
    assert_eq!(timeout(LONG, asked).await.unwrap().unwrap().body, "sound");
}

#[tokio::test]
async fn a_replica_drains() {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let slow = server(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            text("old")
        }
    })
    .await;
    let fronted = Arc::new(Fronted::new(plain(), &[slow]).await);
    let asking = Arc::clone(&fronted);
    let asked = tokio::spawn(async move { asking.get("/").await.body });
    until(|| (fronted.front.requests()[0].2 == 1).then_some(())).await;
    fronted.front.add(2, says("new").await);
    fronted.front.drain(1);
    for _ in 0..3 {
        assert_eq!(fronted.get("/").await.body, "new");
    }
    assert_eq!(fronted.reports(), []);
    go.notify_one();
    assert_eq!(timeout(LONG, asked).await.unwrap().unwrap(), "old");
    fronted
        .reported(|report| *report == Report::Drained { replica: 1 })
        .await;
}

#[tokio::test]
async fn answers_are_streamed_with_trailers() {
    let (send, receive) = mpsc::unbounded_channel::<Frame<Bytes>>();
    let receive = Arc::new(tokio::sync::Mutex::new(Some(receive)));
    let streams = server(move |_| {
        let receive = Arc::clone(&receive);
        async move {
            let mut receive = receive.lock().await.take().unwrap();
            let stream = futures_stream(move |context| receive.poll_recv(context));
            let mut response = Response::new(StreamBody::new(stream).boxed());
            response
                .headers_mut()
                .insert("trailer", "x-sum".parse().unwrap());
            response
        }
    })
    .await;
    let fronted = Fronted::new(plain(), &[streams]).await;
    let mut stream = TcpStream::connect(fronted.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: t\r\nTE: trailers\r\nConnection: te, close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut got = String::new();
    for word in ["one", "two"] {
        send.send(Frame::data(Bytes::from(word))).unwrap();
        // Each piece is here before the next is sent.
        while !got.contains(word) {
            let mut part = [0; 1000];
            let read = timeout(LONG, stream.read(&mut part))
                .await
                .unwrap()
                .unwrap();
            assert_ne!(read, 0, "{got}");
            got += std::str::from_utf8(&part[..read]).unwrap();
        }
    }
    let trailers = [("x-sum".parse().unwrap(), "7".parse().unwrap())];
    send.send(Frame::trailers(trailers.into_iter().collect()))
        .unwrap();
    drop(send);
    let mut rest = String::new();
    timeout(LONG, stream.read_to_string(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert!(rest.contains("x-sum: 7"), "{got}{rest}");
}

/// A stream from a function that polls.
fn futures_stream(
    mut poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<Frame<Bytes>>>,
) -> impl futures_core::Stream<Item = Result<Frame<Bytes>, Infallible>> {
    futures_util::stream::poll_fn(move |context| poll(context).map(|frame| frame.map(Ok)))
}

#[tokio::test]
async fn a_connection_may_change_its_protocol() {
    let changes = server(|mut request| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let mut word = [0; 4];
            io.read_exact(&mut word).await.unwrap();
            io.write_all(b"pong").await.unwrap();
        });
        let mut response = text("");
        *response.status_mut() = hyper::StatusCode::SWITCHING_PROTOCOLS;
        response
            .headers_mut()
            .insert("upgrade", "toy".parse().unwrap());
        response
            .headers_mut()
            .insert("connection", "upgrade".parse().unwrap());
        response
    })
    .await;
    let fronted = Fronted::new(plain(), &[changes]).await;
    let mut stream = TcpStream::connect(fronted.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: toy\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    stream.write_all(b"ping").await.unwrap();
    let mut word = [0; 4];
    timeout(LONG, stream.read_exact(&mut word))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&word, b"pong");
}

#[tokio::test]
async fn requests_have_limits() {
    let echo = server(
        |request: hyper::Request<hyper::body::Incoming>| async move {
            match request.into_body().collect().await {
                Ok(body) => text(body.to_bytes().len().to_string()),
                Err(_) => text("broken"),
            }
        },
    )
    .await;
    let settings = settings(
        "head = '8k'\nheaders = 20\nbody = '1k'\nhead_time = '200ms'\nidle_time = '200ms'",
        "",
    );
    let fronted = Fronted::new(settings, &[echo]).await;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n",
        "a".repeat(9_000)
    );
    assert_eq!(fronted.ask(&long).await.status, 431);
    let many = format!("GET / HTTP/1.1\r\nHost: t\r\n{}\r\n", "X: a\r\n".repeat(30));
    assert_eq!(fronted.ask(&many).await.status, 431);
    assert_eq!(fronted.ask("nonsense\r\n\r\n").await.status, 400);
    assert_eq!(fronted.post("/", &"x".repeat(1024)).await.body, "1024");
    assert_eq!(fronted.post("/", &"x".repeat(1025)).await.status, 413);
    let chunk = format!("401\r\n{}\r\n0\r\n\r\n", "x".repeat(1025));
    let chunked =
        "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(fronted.ask(&format!("{chunked}{chunk}")).await.status, 413);
    // Heads and bodies that do not go on.
    assert_eq!(fronted.ask("GET / HTTP/1.1\r\nHos").await.status, 0);
    assert_eq!(fronted.ask(&format!("{chunked}5\r\nab")).await.status, 408);
    assert_eq!(
        fronted
            .ask("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n")
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn a_client_may_close_its_side_first() {
    let slow = server(|_| async {
        sleep(Duration::from_millis(50)).await;
        text("late")
    })
    .await;
    let fronted = Fronted::new(plain(), &[slow]).await;
    let mut stream = TcpStream::connect(fronted.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    timeout(LONG, stream.read_to_end(&mut all))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(Got::of(&all).body, "late");
}

#[tokio::test]
async fn old_clients_are_answered() {
    let fronted = Fronted::new(plain(), &[says("old").await]).await;
    let got = fronted.ask("GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!((got.status, got.body.as_str()), (200, "old"));
    let got = fronted
        .ask("HEAD / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!((got.status, got.body.as_str()), (200, ""));
    assert!(got.head.contains("content-length: 3"), "{got:?}");
}

#[tokio::test]
async fn connections_have_a_bound() {
    let fronted = Fronted::new(settings("connections = 1", ""), &[says("x").await]).await;
    let _first = TcpStream::connect(fronted.address).await.unwrap();
    until(|| (fronted.front.figures().connections == 1).then_some(())).await;
    assert_eq!(fronted.get("/").await.status, 503);
}

#[tokio::test]
async fn bytes_are_carried_and_each_side_ends_by_itself() {
    let counts = raw(|mut stream| async move {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream
            .write_all(format!("{} bytes", all.len()).as_bytes())
            .await
            .unwrap();
    })
    .await;
    let fronted = Fronted::new(settings("protocol = 'tcp'", ""), &[nobody().await, counts]).await;
    for _ in 0..3 {
        let mut stream = TcpStream::connect(fronted.address).await.unwrap();
        stream.write_all(&[7; 100_000]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = String::new();
        timeout(LONG, stream.read_to_string(&mut all))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(all, "100000 bytes");
    }
}

#[tokio::test]
async fn the_status_page_tells() {
    let fronted = Fronted::new(plain(), &[says("x").await]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let front = fronted.front.clone();
    tokio::spawn(async move { front.serve_status(listener).await });
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            .await
            .unwrap();
        let mut all = Vec::new();
        timeout(LONG, stream.read_to_end(&mut all))
            .await
            .unwrap()
            .unwrap();
        Got::of(&all)
    };
    assert_eq!(ask().await.status, 200);
    fronted.front.drain(1);
    let got = ask().await;
    assert_eq!(
        (got.status, got.body.trim()),
        (503, "0 of 3 replicas serve")
    );
    fronted.front.leave();
    assert_eq!(ask().await.status, 404);
}
