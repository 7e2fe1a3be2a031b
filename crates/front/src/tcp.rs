//! TCP: a connection goes to the replica with the fewest; one that cannot be made goes to another.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::table::{Place, Table};
use crate::{Counts, Inner};

const TRIES: usize = 6;
const CONNECT: Duration = Duration::from_secs(2);

/// Carries a client's connection until both sides have ended, or its replica is no more. The end of one
/// direction is handed on, and the other goes on.
pub(crate) async fn relay(front: &Arc<Inner>, mut client: TcpStream) {
    Counts::count(&front.counts.requests);
    let Some((place, mut replica)) = connect(front).await else {
        // A reset, where the end of the stream could be taken for an empty answer.
        let _ = client.set_zero_linger();
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut replica) => {}
        () = place.replica.until_gone() => {
            let _ = client.set_zero_linger();
        }
    }
}

async fn connect(front: &Arc<Inner>) -> Option<(Place, TcpStream)> {
    let mut tried = Vec::new();
    while tried.len() < TRIES {
        let Ok(place) = Table::place(front, &tried).await else {
            Counts::count(&front.counts.refused);
            return None;
        };
        if let Ok(Ok(stream)) = timeout(CONNECT, TcpStream::connect(place.replica.address)).await {
            let _ = stream.set_nodelay(true);
            return Some((place, stream));
        }
        tried.push(place.replica.id);
        Counts::count(&front.counts.retried);
    }
    Counts::count(&front.counts.failed);
    None
}
