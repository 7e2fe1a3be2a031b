//! Vote mode: liars, sleepers and the order of requests.

mod kit;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use kit::{Fronted, nobody, says, server, settings, text, until};
use pinion_front::{Report, Settings};
use tokio::task::JoinSet;
use tokio::time::sleep;

fn voting(more: &str) -> Settings {
    settings("mode = 'vote'", more)
}

async fn sleeps() -> SocketAddr {
    server(|_| async {
        sleep(kit::LONG).await;
        text("never")
    })
    .await
}

#[tokio::test]
async fn one_that_lies_is_masked_and_marked() {
    let fronted = Fronted::new(
        voting(""),
        &[says("true").await, says("lie").await, says("true").await],
    )
    .await;
    for path in ["/a", "/b"] {
        let got = fronted.get(path).await;
        assert_eq!((got.status, got.body.as_str()), (200, "true"));
    }
    let report = fronted
        .reported(|report| matches!(report, Report::Disagreed { .. }))
        .await;
    let Report::Disagreed {
        replica,
        request,
        answer,
        majority,
    } = report
    else {
        unreachable!()
    };
    assert_eq!((replica, request.as_str()), (2, "GET /a"));
    assert!(answer.ends_with(b"lie") && majority.ends_with(b"true"));
}

#[tokio::test]
async fn the_answer_goes_out_as_soon_as_it_is_certain() {
    let settings = voting("[vote]\nlate = '50ms'\n");
    let fronted = Fronted::new(
        settings,
        &[says("x").await, sleeps().await, says("x").await],
    )
    .await;
    assert_eq!(fronted.get("/").await.body, "x");
    let report = fronted
        .reported(|report| matches!(report, Report::Late { .. }))
        .await;
    assert_eq!(
        report,
        Report::Late {
            replica: 2,
            why: "GET /: no answer".into()
        }
    );
}

#[tokio::test]
async fn one_that_is_gone_is_told_as_late() {
    let fronted = Fronted::new(
        voting(""),
        &[says("x").await, says("x").await, nobody().await],
    )
    .await;
    assert_eq!(fronted.get("/").await.body, "x");
    fronted
        .reported(|report| matches!(report, Report::Late { replica: 3, .. }))
        .await;
}

#[tokio::test]
async fn without_a_majority_there_is_no_answer() {
    let fronted = Fronted::new(
        voting(""),
        &[says("a").await, says("b").await, says("c").await],
    )
    .await;
    assert_eq!(fronted.get("/").await.status, 502);
    let report = Report::Undecided {
        request: "GET /".into(),
        answers: 3,
    };
    assert_eq!(fronted.reports(), [report]);
    assert_eq!(fronted.front.figures().undecided, 1);
}

#[tokio::test]
async fn two_that_differ_wait_for_the_third() {
    let fronted =
        Arc::new(Fronted::new(voting(""), &[says("true").await, says("lie").await]).await);
    let asking = Arc::clone(&fronted);
    let asked = tokio::spawn(async move { asking.get("/").await });
    until(|| {
        fronted
            .front
            .requests()
            .iter()
            .all(|(_, had, now)| *had == 1 && *now == 0)
            .then_some(())
    })
    .await;
    assert!(!asked.is_finished());
    fronted.front.add(3, says("true").await);
    assert_eq!(asked.await.unwrap().body, "true");
    fronted
        .reported(|report| matches!(report, Report::Disagreed { replica: 2, .. }))
        .await;
}

#[tokio::test]
async fn one_alone_decides_nothing() {
    let settings = settings("mode = 'vote'\nanswer_time = '100ms'", "");
    let fronted = Fronted::new(settings, &[says("x").await]).await;
    assert_eq!(fronted.get("/").await.status, 504);
    fronted.front.remove(1);
    assert_eq!(fronted.get("/").await.status, 503);
}

/// A server that keeps the bodies of POSTs in their order.
async fn keeps() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let kept: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&kept);
    let address = server(move |request: hyper::Request<Incoming>| {
        let log = Arc::clone(&log);
        async move {
            let post = request.method() == hyper::Method::POST;
            let body = request.into_body().collect().await.unwrap().to_bytes();
            if post {
                log.lock()
                    .unwrap()
                    .push(String::from_utf8(body.to_vec()).unwrap());
            }
            // The state that the request found.
            text(log.lock().unwrap().len().to_string())
        }
    })
    .await;
    (address, kept)
}

#[tokio::test]
async fn every_replica_gets_requests_in_one_order() {
    let replicas = [keeps().await, keeps().await, keeps().await];
    let addresses = replicas.each_ref().map(|(address, _)| *address);
    let fronted = Arc::new(Fronted::new(voting(""), &addresses).await);
    let mut asked = JoinSet::new();
    for number in 0..60 {
        let fronted = Arc::clone(&fronted);
        asked.spawn(async move {
            if number % 3 == 0 {
                fronted.get("/").await.status
            } else {
                fronted.post("/", &number.to_string()).await.status
            }
        });
    }
    assert!(
        asked
            .join_all()
            .await
            .into_iter()
            .all(|status| status == 200)
    );
    sleep(Duration::from_millis(50)).await;
    let orders = replicas
        .each_ref()
        .map(|(_, kept)| kept.lock().unwrap().clone());
    assert_eq!(orders[0].len(), 40);
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0], orders[2]);
    assert_eq!(fronted.reports(), []);
}

#[tokio::test]
async fn a_client_that_goes_leaves_no_replica_without_its_request() {
    let replicas = [keeps().await, keeps().await, keeps().await];
    let addresses = replicas.each_ref().map(|(address, _)| *address);
    let fronted = Fronted::new(voting(""), &addresses).await;
    for _ in 0..5 {
        use tokio::io::AsyncWriteExt;
        let mut stream = tokio::net::TcpStream::connect(fronted.address)
            .await
            .unwrap();
        let request = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx";
        stream.write_all(request).await.unwrap();
        until(|| (fronted.front.figures().requests > 0).then_some(())).await;
    }
    until(|| {
        let counts = replicas
            .each_ref()
            .map(|(_, kept)| kept.lock().unwrap().len());
        (fronted.front.requests().iter().all(|(_, _, now)| *now == 0) && counts[0] > 0).then(|| {
            assert!(
                counts[0] == counts[1] && counts[1] == counts[2],
                "{counts:?}"
            )
        })
    })
    .await;
}

#[tokio::test]
async fn time_and_chance_make_no_difference() {
    let chance = |id: &'static str| {
        server(move |_| async move {
            let mut response = text(format!("<p>page</p><!-- {id} -->"));
            response
                .headers_mut()
                .insert("set-cookie", format!("sid={id}; Path=/").parse().unwrap());
            response
                .headers_mut()
                .insert("etag", format!("\"{id}\"").parse().unwrap());
            response.headers_mut().insert("x-id", id.parse().unwrap());
            response
        })
    };
    let rules = "[vote]\nignore_headers = ['X-Id']\nignore_body = ['<!--.*-->']\n";
    let replicas = [chance("1").await, chance("22").await, chance("333").await];
    let fronted = Fronted::new(voting(rules), &replicas).await;
    assert_eq!(fronted.get("/").await.status, 200);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(fronted.reports(), []);
    let fronted = Fronted::new(voting(""), &replicas).await;
    assert_eq!(fronted.get("/").await.status, 502);
}

#[tokio::test]
async fn answers_have_a_limit() {
    let large = server(|_| async { text("x".repeat(2_000)) }).await;
    let settings = voting("[vote]\nanswer = '1k'\n");
    let mut settings = settings;
    settings.front.answer_time = Duration::from_millis(300);
    let fronted = Fronted::new(settings, &[large, large, large]).await;
    assert_eq!(fronted.get("/").await.status, 504);
}
