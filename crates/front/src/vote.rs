//! Vote mode: a request goes to all replicas in one order, and the majority's answer goes out as soon as
//! it is certain.
//!
//! The order is active replication's: requests that may change something reach each replica one after
//! another and alone, in the order in which they came; those that change nothing go together between
//! them. A replica gets a request once at most. One that begins to serve while a vote is open is asked,
//! too: so a vote that lost voices to a fault is still decided.

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_LENGTH;
use hyper::http::request;
use hyper::http::response;
use hyper::{HeaderMap, Request, Response, StatusCode};
use pinion_group::normal::Normal;
use pinion_group::vote::{Ballot, Standing};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, mpsc, oneshot};
use tokio::task::{JoinSet, unconstrained};
use tokio::time::{Instant, sleep_until, timeout};

use crate::body::{Body, ClientFault};
use crate::table::{Place, Refusal, Table};
use crate::{Counts, Inner, Report, headers, http, leg};

/// The most bytes of an answer in a report.
const MOST_EVIDENCE: usize = 64 << 10;

/// A request that can be sent to many.
#[derive(Clone)]
struct Asked {
    parts: request::Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

/// An answer as a whole.
struct Whole {
    parts: response::Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

/// What came of asking one replica.
type Word = (u32, Result<(Normal, Whole), String>);

/// Answers a request.
pub(crate) async fn answer(
    front: &Arc<Inner>,
    mut request: Request<Incoming>,
    client: IpAddr,
    host: &str,
) -> Response<Body> {
    let settings = &front.settings;
    if front.table.serving() == 0 {
        return http::refused(front, Refusal::Nobody);
    }
    // Votes under way hold whole bodies: their number is the bound of memory.
    let Some(_waiter) = front
        .table
        .wait(settings.front.per_replica + settings.front.queue)
    else {
        return http::refused(front, Refusal::Full);
    };
    headers::to_replica(&mut request, client, host);
    let (parts, body) = request.into_parts();
    let (body, told) = Body::client(body, settings.front.body, settings.front.idle_time);
    let Ok(read) = body.collect().await else {
        return http::closing(match told.fault() {
            ClientFault::TooLarge => {
                http::own(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
            }
            ClientFault::TooSlow => {
                http::own(StatusCode::REQUEST_TIMEOUT, "the body did not go on")
            }
            _ => http::own(StatusCode::BAD_REQUEST, "the body broke off"),
        });
    };
    let trailers = read.trailers().cloned();
    let mut asked = Asked {
        parts,
        body: read.to_bytes(),
        trailers,
    };
    if asked.trailers.is_none() && !asked.body.is_empty() {
        asked
            .parts
            .headers
            .insert(CONTENT_LENGTH, asked.body.len().into());
    }
    // In a task of its own: a client that goes away must not leave some replicas without the request.
    let (tell, told) = oneshot::channel();
    tokio::spawn(Round::new(front, asked).run(tell));
    let gone = |_| http::failed(front, false, "the vote broke off");
    told.await.unwrap_or_else(gone)
}

/// One request's vote.
struct Round {
    front: Arc<Inner>,
    asked: Asked,
    ballot: Ballot<Normal>,
    answers: HashMap<u32, Whole>,
    lost: Vec<(u32, String)>,
    legs: JoinSet<()>,
    say: mpsc::UnboundedSender<Word>,
    heard: mpsc::UnboundedReceiver<Word>,
}

impl Round {
    fn new(front: &Arc<Inner>, asked: Asked) -> Self {
        let (say, heard) = mpsc::unbounded_channel();
        Self {
            ballot: Ballot::new(front.settings.quorum),
            front: Arc::clone(front),
            asked,
            answers: HashMap::new(),
            lost: Vec::new(),
            legs: JoinSet::new(),
            say,
            heard,
        }
    }

    fn line(&self) -> String {
        format!("{} {}", self.asked.parts.method, self.asked.parts.uri)
    }

    /// Asks those that serve and were not asked yet.
    fn ask(&mut self) {
        let front = Arc::clone(&self.front);
        let ballot = &self.ballot;
        let safe = headers::is_safe(&self.asked.parts.method);
        let mut fresh = Vec::new();
        // All at one moment, so that two votes come to every replica in one order.
        Table::each_serving(
            &front,
            |id| !ballot.was_asked(id),
            |place| {
                let turn = Turn::take(&place.replica.order, safe);
                fresh.push((place, turn));
            },
        );
        for (place, turn) in fresh {
            self.ballot.ask(place.replica.id);
            let (asked, say) = (self.asked.clone(), self.say.clone());
            let front = Arc::clone(&self.front);
            self.legs.spawn(async move {
                let id = place.replica.id;
                let word = one(&front, asked, place, turn, safe).await;
                let _ = say.send((id, word));
            });
        }
    }

    /// How many more may still be asked: those that are being replaced.
    fn to_come(&self) -> usize {
        let here = self.answers.len() + self.ballot.awaited().len();
        self.front.settings.replicas.saturating_sub(here)
    }

    async fn run(mut self, tell: oneshot::Sender<Response<Body>>) {
        let deadline = Instant::now() + self.front.settings.front.answer_time;
        let mut changes = self.front.table.changes();
        self.ask();
        loop {
            let standing = self.ballot.standing(self.to_come());
            let response = match standing {
                Standing::Decided(of) => Some(self.majority(of)),
                Standing::Hopeless => Some(self.undecided(false)),
                Standing::Open => None,
            };
            if let Some(response) = response {
                let _ = tell.send(response);
                break;
            }
            tokio::select! {
                Some(word) = self.heard.recv() => self.hear(word),
                Ok(()) = changes.changed() => self.ask(),
                () = sleep_until(deadline) => {
                    let response = self.undecided(true);
                    let _ = tell.send(response);
                    break;
                }
            }
        }
        self.hear_the_rest().await;
    }

    fn hear(&mut self, (id, word): Word) {
        match word {
            Ok((normal, whole)) => {
                self.ballot.cast(id, normal);
                self.answers.insert(id, whole);
            }
            Err(why) => {
                self.ballot.lose(id);
                self.lost.push((id, why));
            }
        }
    }

    fn majority(&self, of: u32) -> Response<Body> {
        match self.answers.get(&of) {
            Some(whole) => whole.response(),
            None => http::failed(&self.front, false, "the majority's answer is lost"),
        }
    }

    fn undecided(&self, late: bool) -> Response<Body> {
        Counts::count(&self.front.counts.undecided);
        (self.front.report)(Report::Undecided {
            request: self.line(),
            answers: self.answers.len(),
        });
        http::failed(&self.front, late, "the replicas' answers have no majority")
    }

    /// Waits a while for those that have not answered, and tells who is odd.
    async fn hear_the_rest(mut self) {
        let Standing::Decided(of) = self.ballot.standing(0) else {
            return;
        };
        let deadline = Instant::now() + self.front.settings.vote.late;
        while !self.ballot.awaited().is_empty() {
            tokio::select! {
                Some(word) = self.heard.recv() => self.hear(word),
                () = sleep_until(deadline) => break,
            }
        }
        let line = self.line();
        let evidence = |id: u32| self.answers.get(&id).map_or_else(Vec::new, Whole::shown);
        for replica in self.ballot.odd() {
            Counts::count(&self.front.counts.odd);
            (self.front.report)(Report::Disagreed {
                replica,
                request: line.clone(),
                answer: evidence(replica),
                majority: evidence(of),
            });
        }
        let silent = self
            .ballot
            .awaited()
            .into_iter()
            .map(|id| (id, "no answer".to_owned()));
        for (replica, why) in silent.chain(self.lost.drain(..)) {
            let why = format!("{line}: {why}");
            (self.front.report)(Report::Late { replica, why });
        }
    }
}

/// Asks one replica, when it is this request's turn there.
async fn one(
    front: &Inner,
    asked: Asked,
    place: Place,
    turn: Turn,
    safe: bool,
) -> Result<(Normal, Whole), String> {
    let _turn = turn.come().await;
    let settings = &front.settings;
    // A request that changes something goes over a new connection, as it cannot be sent once more.
    let mut sent = leg::send(settings, &place.replica, asked.request(), !safe).await;
    if safe && sent.as_ref().is_err_and(|failed| !failed.late) {
        sent = leg::send(settings, &place.replica, asked.request(), true).await;
    }
    let (response, sender) = sent.map_err(|failed| failed.why)?;
    let (mut parts, body) = response.into_parts();
    let most = usize::try_from(settings.vote.answer).unwrap_or(usize::MAX);
    let read = tokio::select! {
        read = timeout(settings.front.answer_time, Limited::new(body, most).collect()) => read,
        () = place.replica.until_gone() => return Err("the replica was removed".into()),
    };
    let read = read.map_err(|_| "the answer did not end in time".to_owned())?;
    let read = read.map_err(|error| error.to_string())?;
    place.replica.rest(sender);
    headers::strip(&mut parts.headers);
    let trailers = read.trailers().cloned();
    let whole = Whole {
        parts,
        body: read.to_bytes(),
        trailers,
    };
    let mut named = whole.named();
    let more = whole.trailers.iter().flatten_headers();
    named.extend(more);
    let named = named
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()));
    let normal = settings
        .vote
        .rules
        .normal(whole.parts.status.as_u16(), named, &whole.body);
    Ok((normal, whole))
}

trait Flatten {
    fn flatten_headers(self) -> Vec<(String, Vec<u8>)>;
}

impl<'a, I: Iterator<Item = &'a HeaderMap>> Flatten for I {
    /// Trailers count as headers of another name.
    fn flatten_headers(self) -> Vec<(String, Vec<u8>)> {
        let all = self.flatten();
        all.map(|(name, value)| (format!("trailer {name}"), value.as_bytes().to_vec()))
            .collect()
    }
}

impl Asked {
    fn request(&self) -> Request<Body> {
        let body = Body::Whole(Some(self.body.clone()), self.trailers.clone());
        Request::from_parts(self.parts.clone(), body)
    }
}

impl Whole {
    fn named(&self) -> Vec<(String, Vec<u8>)> {
        let headers = self.parts.headers.iter();
        headers
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect()
    }

    fn response(&self) -> Response<Body> {
        let mut parts = self.parts.clone();
        if self.trailers.is_some() {
            parts.headers.remove(CONTENT_LENGTH);
        }
        let body = Body::Whole(Some(self.body.clone()), self.trailers.clone());
        Response::from_parts(parts, body)
    }

    /// As it came, cut at a bound.
    fn shown(&self) -> Vec<u8> {
        let mut shown = format!("{}\n", self.parts.status).into_bytes();
        for (name, value) in self.named() {
            shown.extend_from_slice(name.as_bytes());
            shown.extend_from_slice(b": ");
            shown.extend_from_slice(&value);
            shown.push(b'\n');
        }
        shown.push(b'\n');
        shown.extend_from_slice(&self.body);
        shown.truncate(MOST_EVIDENCE);
        shown
    }
}

type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A request's turn at one replica: alone, or together with others that change nothing. It is over when
/// this is dropped.
#[expect(dead_code, reason = "guards are held for their end")]
enum Turn {
    Together(OwnedRwLockReadGuard<()>),
    Alone(OwnedRwLockWriteGuard<()>),
    Waits(Waiting<Turn>),
}

impl Turn {
    /// Takes the next place in the line, without waiting: the lock serves those who ask in their order.
    fn take(order: &Arc<RwLock<()>>, together: bool) -> Self {
        let order = Arc::clone(order);
        // Unconstrained, as a task that has used up its share would else not get into the line.
        let mut turn: Waiting<Self> = if together {
            Box::pin(unconstrained(async {
                Self::Together(order.read_owned().await)
            }))
        } else {
            Box::pin(unconstrained(async {
                Self::Alone(order.write_owned().await)
            }))
        };
        match turn.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => turn,
            Poll::Pending => Self::Waits(turn),
        }
    }

    async fn come(self) -> Self {
        match self {
            Self::Waits(turn) => turn.await,
            turn => turn,
        }
    }
}
