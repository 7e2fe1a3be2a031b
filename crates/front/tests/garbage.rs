//! The parser's limits: whatever clients and replicas send, the front answers or closes, and serves the
//! next.

mod kit;

use kit::{Fronted, LONG, raw, read_head, says, settings};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Pieces of requests, whole ones and torn ones, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"POST /x HTTP/1.1\r\n".to_vec()),
        Just(b"Host: t\r\n".to_vec()),
        Just(b"Content-Length: 5\r\n".to_vec()),
        Just(b"Content-Length: 6\r\n".to_vec()),
        Just(b"Content-Length: 99999999999999999999\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Transfer-Encoding: x, chunked\r\n".to_vec()),
        Just(b"Connection: upgrade, close\r\nUpgrade: x\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"5\r\nhello\r\n0\r\n\r\n".to_vec()),
        Just(b"ffffffffffffffff\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..30),
    ];
    proptest::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

/// Each case takes a while: a quarter of what the environment asks for.
fn fewer() -> ProptestConfig {
    let all = ProptestConfig::default();
    ProptestConfig {
        cases: all.cases.div_ceil(4),
        ..all
    }
}

fn run(mode: &str, test: impl AsyncFn(&Fronted)) {
    run_with(
        &format!("mode = '{mode}'\nhead_time = '50ms'\nidle_time = '50ms'\nanswer_time = '50ms'"),
        test,
    );
}

fn run_with(front: &str, test: impl AsyncFn(&Fronted)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let settings = settings(front, "");
        let sound = says("sound").await;
        let fronted = Fronted::new(settings, &[sound, sound, sound]).await;
        test(&fronted).await;
        assert_eq!(fronted.get("/").await.body, "sound");
    });
}

proptest! {
    #![proptest_config(fewer())]

    /// At any size: what is within the limits is answered, what is past one is refused by the status for it.
    #[test]
    fn limits_are_kept_at_any_size(
        headers in 0usize..48,
        long in 0usize..24_000,
        body in 0usize..2_100,
        chunked in any::<bool>(),
    ) {
        run_with("head = '8k'\nheaders = 20\nbody = '1k'\nhead_time = '5s'\nidle_time = '5s'", async |fronted| {
            let framing = if chunked { "Transfer-Encoding: chunked".into() } else { format!("Content-Length: {body}") };
            let mut request = format!("POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{framing}\r\nLong: {}\r\n", "a".repeat(long));
            request += &"X: a\r\n".repeat(headers);
            request += "\r\n";
            let head = request.len();
            let content = "x".repeat(body);
            request += &match (chunked, body) {
                (true, 0) => "0\r\n\r\n".to_owned(),
                (true, _) => format!("{body:x}\r\n{content}\r\n0\r\n\r\n"),
                (false, _) => content,
            };
            let mut stream = TcpStream::connect(fronted.address).await.unwrap();
            // It may be refused, and closed, before all is written.
            let _ = stream.write_all(request.as_bytes()).await;
            let mut all = Vec::new();
            let _ = timeout(LONG, stream.read_to_end(&mut all)).await.expect("closed");
            let status = kit::Got::of(&all).status;
            // Four headers are there besides. The head's limit is that of a buffer: it holds exactly below.
            if headers + 4 <= 20 && head <= 8 << 10 && body <= 1 << 10 {
                assert_eq!(status, 200);
            } else if headers + 4 > 20 || head > 2 * (8 << 10) {
                assert_eq!(status, 431);
            } else if head <= 8 << 10 {
                assert_eq!(status, 413);
            } else {
                assert!([200, 413, 431].contains(&status), "{status}");
            }
        });
    }

    #[test]
    fn clients_may_send_anything(bytes in pieces(), vote in any::<bool>()) {
        run(if vote { "vote" } else { "balance" }, async |fronted| {
            let mut stream = TcpStream::connect(fronted.address).await.unwrap();
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let mut all = Vec::new();
            // It ends in time, in whatever way.
            let _ = timeout(LONG, stream.read_to_end(&mut all)).await.expect("closed");
        });
    }

    #[test]
    fn replicas_may_send_anything(bytes in pieces(), head in any::<bool>()) {
        run("balance", async |fronted| {
            let bytes = if head { [b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat() } else { bytes.clone() };
            let odd = raw(move |mut stream| {
                let bytes = bytes.clone();
                async move {
                    read_head(&mut stream).await;
                    let _ = stream.write_all(&bytes).await;
                }
            })
            .await;
            for id in 1..4 {
                fronted.front.remove(id);
            }
            fronted.front.add(9, odd);
            let mut stream = TcpStream::connect(fronted.address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut all = Vec::new();
            let _ = timeout(LONG, stream.read_to_end(&mut all)).await.expect("closed");
            fronted.front.remove(9);
            fronted.front.add(10, says("sound").await);
        });
    }
}
