//! Servers that do as the tests say, a front over them, and a client that writes bytes.
#![allow(dead_code, reason = "each test program uses a part")]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pinion_front::{Front, Report, Settings};
use pinion_group::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

pub type Answer = Response<BoxBody<Bytes, Infallible>>;

/// How long anything may take before a test gives up.
pub const LONG: Duration = Duration::from_secs(20);

/// Settings of a file with these lines in its `[front]`, and these after it.
pub fn settings(front: &str, more: &str) -> Settings {
    let text =
        format!("command = ['x']\nport = 1\n[front]\nlisten = '127.0.0.1:1'\n{front}\n{more}");
    Settings::of(&Config::parse(&text).unwrap())
}

/// A front that listens, and what it reported.
pub struct Fronted {
    pub front: Front,
    pub address: SocketAddr,
    pub reports: Arc<Mutex<Vec<Report>>>,
}

impl Fronted {
    pub async fn new(settings: Settings, replicas: &[SocketAddr]) -> Self {
        let reports: Arc<Mutex<Vec<Report>>> = Arc::default();
        let kept = Arc::clone(&reports);
        let front = Front::new(
            settings,
            Box::new(move |report| kept.lock().unwrap().push(report)),
        );
        for (id, address) in (1..).zip(replicas) {
            front.add(id, *address);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = front.clone();
        tokio::spawn(async move { serving.serve(listener).await });
        Self {
            front,
            address,
            reports,
        }
    }

    pub fn reports(&self) -> Vec<Report> {
        self.reports.lock().unwrap().clone()
    }

    /// Waits until a report fits.
    pub async fn reported(&self, fits: impl Fn(&Report) -> bool) -> Report {
        until(|| self.reports().into_iter().find(&fits)).await
    }

    pub async fn get(&self, path: &str) -> Got {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
        ))
        .await
    }

    pub async fn post(&self, path: &str, body: &str) -> Got {
        let length = body.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    /// Sends bytes, and reads until the front closes.
    pub async fn ask(&self, request: &str) -> Got {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        timeout(LONG, stream.read_to_end(&mut all))
            .await
            .expect("in time")
            .unwrap();
        Got::of(&all)
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Got {
    pub fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or(0),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }
}

/// Asks until there is an answer.
pub async fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, asked).await.expect("in time")
}

pub fn text(text: impl Into<String>) -> Answer {
    Response::new(Full::new(Bytes::from(text.into())).boxed())
}

/// An HTTP server; where it listens.
pub async fn server<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answered = answer(request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            tokio::spawn(async move {
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades()
                    .await;
            });
        }
    });
    address
}

/// A server that always says the same.
pub async fn says(word: &'static str) -> SocketAddr {
    server(move |_| async move { text(word) }).await
}

/// A server of bytes.
pub async fn raw<F, A>(converse: F) -> SocketAddr
where
    F: Fn(TcpStream) -> A + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream));
        }
    });
    address
}

/// An address at which nobody listens.
pub async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Reads a request's head.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}
