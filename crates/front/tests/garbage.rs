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

fn run(mode: &str, test: impl AsyncFn(&Fronted)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let settings = settings(
            &format!(
                "mode = '{mode}'\nhead_time = '50ms'\nidle_time = '50ms'\nanswer_time = '50ms'"
            ),
            "",
        );
        let sound = says("sound").await;
        let fronted = Fronted::new(settings, &[sound, sound, sound]).await;
        test(&fronted).await;
        assert_eq!(fronted.get("/").await.body, "sound");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
