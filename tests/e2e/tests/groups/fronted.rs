//! What only the front's connections on Windows can show: bytes of any protocol, and answers that a client
//! takes slowly or not at all. The rest of the front is tested natively.

use crate::{Servers, at, get};
use pinion_e2e::eventually;
use pinion_harness::group::PAGE;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// More than all buffers on the way take.
const LARGE: usize = 24 << 20;

fn ask(port: u16, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at(port)).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a limit");
    let request = format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asked");
    stream
}

/// `pinion group status`.
fn status(servers: &Servers, group: &str) -> serde_json::Value {
    let status = ["group", "status", "--json", group];
    servers.world.pinion(status).run().expect(0).json()
}

#[test]
fn connections_of_any_protocol_are_balanced_and_a_killed_replica_is_left() {
    let servers = Servers::new("bytes");
    let file = servers.file(
        "bytes",
        18_122,
        "replicas = 2\nspares = 0",
        "protocol = 'tcp'\n[check]\ninterval = '300ms'\n",
    );
    let group = servers.up(&file, "bytes");
    for _ in 0..4 {
        assert_eq!(get(18_122, "/"), (200, PAGE.into()));
    }
    let told = |what: &str| -> Vec<u64> {
        let status = status(&servers, "bytes");
        let replicas = status["replicas"].as_array().expect("replicas").clone();
        let numbers = replicas.iter().map(|one| one[what].as_u64());
        numbers.map(|count| count.expect("a number")).collect()
    };
    // Wine 10 now and then refuses a connection to a server that is there; it is counted, and made again.
    let had = told("requests");
    assert!(
        had.len() == 2 && had.iter().all(|&count| count >= 2),
        "{had:?}"
    );
    // A client that has said all it has to say is answered.
    let mut stream = ask(18_122, "/");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.ends_with(PAGE), "{answer}");
    // Of two that stay open the one whose replica goes ends, and the other goes on.
    let mut open: Vec<TcpStream> = (0..2)
        .map(|_| TcpStream::connect(at(18_122)).expect("a connection"))
        .collect();
    eventually(30, "both replicas have one", || {
        (told("in_flight") == [1, 1]).then_some(())
    });
    servers.world.pinion(["kill", "bytes.1"]).run().ok();
    eventually(30, "it is replaced", || {
        let status = group.status().expect("up");
        (status.faults == 1 && status.serving == 2).then_some(())
    });
    // Nothing comes over the one that goes on.
    let goes_on = |stream: &mut TcpStream| {
        stream.set_nonblocking(true).expect("a stream");
        let read = stream.read(&mut [0]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    eventually(30, "one connection ends", || {
        let open = open.iter_mut().map(goes_on);
        (open.filter(|goes_on| *goes_on).count() == 1).then_some(())
    });
    assert_eq!(get(18_122, "/"), (200, PAGE.into()));
}

#[test]
fn a_large_answer_comes_whole_to_who_reads_slowly_and_waits_for_nobody() {
    let servers = Servers::new("large");
    let large: Vec<u8> = (0..LARGE).map(|place| (place / 7 % 251) as u8).collect();
    std::fs::write(servers.unix.join("html").join("large.bin"), &large).expect("laid");
    let file = servers.file(
        "large",
        18_123,
        "replicas = 1\nspares = 0",
        "idle_time = '2s'\n",
    );
    let _group = servers.up(&file, "large");
    let now = |what: &str| {
        let told = status(&servers, "large");
        (
            told["figures"]["connections"].as_u64().expect("a number"),
            told["replicas"][0][what].as_u64().expect("a number"),
        )
    };
    let still = ask(18_123, "/large.bin");
    eventually(30, "it is asked", || (now("requests").1 == 1).then_some(()));
    let mut slow = ask(18_123, "/large.bin");
    let (mut answer, mut part) = (Vec::new(), vec![0; 1 << 20]);
    loop {
        std::thread::sleep(Duration::from_millis(20));
        match slow.read(&mut part).expect("it goes on") {
            0 => break,
            some => answer.extend_from_slice(&part[..some]),
        }
    }
    let head = answer.len().checked_sub(LARGE);
    let head = head.unwrap_or_else(|| panic!("only {} bytes came", answer.len()));
    assert!(answer[head..] == large, "other bytes came");
    eventually(30, "who does not read holds nothing", || {
        (now("in_flight") == (0, 0)).then_some(())
    });
    drop(still);
    assert_eq!(get(18_123, "/"), (200, PAGE.into()));
}
