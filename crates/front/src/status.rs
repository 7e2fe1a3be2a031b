//! A page that tells how the group is, for those in front of it: 200 as long as enough replicas serve to
//! answer, 503 when not, 404 while the group goes down.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use pinion_group::config::Mode;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::body::Body;
use crate::{Inner, http};

/// The most that ask at one time.
const MOST: usize = 64;
/// How long one may take.
const TIME: Duration = Duration::from_secs(5);

/// Answers for ever.
pub(crate) async fn accept(front: &Arc<Inner>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let front = Arc::clone(front);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|_| {
                let page = page(&front);
                async move { Ok::<_, Infallible>(page) }
            });
            let connection = Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _ = timeout(TIME, connection).await;
        });
    }
}

fn page(front: &Inner) -> Response<Body> {
    let serving = front.table.serving();
    let enough = match front.settings.front.mode {
        Mode::Balance => 1,
        Mode::Vote => front.settings.quorum,
    };
    let status = if front.leaving.load(Ordering::Relaxed) {
        StatusCode::NOT_FOUND
    } else if serving >= enough {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    http::own(
        status,
        &format!("{serving} of {} replicas serve", front.settings.replicas),
    )
}
