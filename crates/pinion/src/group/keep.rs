//! The group's process: what `pinion.exe` does under its hidden verb.

use super::control::{self, Question};
use super::driver::{Driver, Message};
use super::events::now_ms;
use super::place::{Place, Run};
use super::work::Common;
use crate::failure::{Failure, Outcome};
use pinion_front::{Front, Settings};
use pinion_store::{Store, VmId, VmName, exit_code};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

/// The hidden verb.
pub const VERB: &str = "keep-group";

/// The one line that the process writes to its standard output.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Why it is not up, with an exit code.
    pub failed: Option<(i32, String)>,
}

/// Keeps the group of this name, whose plan lies in its folder, until it is down.
pub fn run(name: &VmName) -> Outcome {
    let told = |failed: Option<(i32, String)>| {
        let line = serde_json::to_string(&Ready { failed }).unwrap_or_default();
        let mut out = std::io::stdout().lock();
        // Nobody may be there to hear it.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::pinion(format!("cannot begin: {error}")))?;
    let kept = runtime.block_on(async {
        let place = Place::new(Store::open_default()?, name.clone());
        let Some(_claim) = place.claim()? else {
            return Err(running(name));
        };
        let (driver, heard) = begin(&place).await?;
        told(None);
        driver.run(heard).await;
        place.sweep()?;
        Ok(0)
    });
    if let Err(failure) = &kept {
        told(Some((failure.code, failure.to_string())));
    }
    // Threads that wait for what is gone already are not waited for.
    runtime.shutdown_background();
    kept
}

/// A group of that name is up.
pub fn running(name: &VmName) -> Failure {
    let text =
        format!("the group '{name}' is up already; end it first with 'pinion group down {name}'");
    Failure::new(exit_code::CONFLICT, text)
}

async fn listen(address: SocketAddr, what: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let text = format!(
            "the {what} cannot listen on {address}: {error}; choose another address in the file"
        );
        Failure::new(exit_code::CONFLICT, text)
    })
}

async fn begin(
    place: &Place,
) -> Result<(Driver, tokio::sync::mpsc::UnboundedReceiver<Message>), Failure> {
    let plan = place.plan()?;
    let config = plan.config()?;
    place.sweep()?;
    place.store.sweep();
    let listener = listen(config.front.listen, "front").await?;
    let status = match config.front.status {
        Some(address) => Some(listen(address, "status page").await?),
        None => None,
    };
    let id =
        VmId::random().map_err(|error| Failure::pinion(format!("no random number: {error}")))?;
    let mut run = Run {
        id,
        snapshot: None,
        started_ms: now_ms(),
    };
    place.set_run(&run)?;
    let source = place.source(&mut run, config.from.as_deref())?;
    let (send, heard) = unbounded_channel();
    let reports = send.clone();
    let report = Box::new(move |report| drop(reports.send(Message::Front(report))));
    let front = Front::new(Settings::of(&config), report);
    let questions = send.clone();
    control::serve(id, move |question: Question| {
        drop(questions.send(Message::Ask(question)))
    })?;
    let serving = front.clone();
    tokio::spawn(async move { serving.serve(listener).await });
    if let Some(listener) = status {
        let serving = front.clone();
        tokio::spawn(async move { serving.serve_status(listener).await });
    }
    let common = Arc::new(Common {
        place: place.clone(),
        plan,
        config,
        source,
    });
    Ok((Driver::new(common, front, send), heard))
}
