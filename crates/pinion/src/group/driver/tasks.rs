//! What is handed to threads and tasks: make, start, warm up and check a replica. Each sends a message
//! when it is done.

use super::{AGAIN, Driver, Message};
use crate::failure::Failure;
use crate::group::work::{self, Common};
use pinion_front::probe;
use pinion_group::config::Warm;
use pinion_group::life::{What, Why};
use pinion_store::Vm;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::sleep;

impl Driver {
    pub(super) fn make(&mut self, id: u32) {
        let known = self.known.entry(id).or_default();
        let turn = known.turn.clone();
        let (common, send) = (Arc::clone(&self.common), self.send.clone());
        tokio::task::spawn_blocking(move || {
            let Some(_turn) = turn.take() else { return };
            let message = match work::make(&common, id) {
                Ok(vm) => Message::Made(id, vm),
                Err(failure) => not_started(id, &failure),
            };
            let _ = send.send(message);
        });
    }

    pub(super) fn start(&mut self, id: u32) {
        let Some((vm, turn)) = self.vm(id).zip(self.turn(id)) else {
            return;
        };
        let (common, send) = (Arc::clone(&self.common), self.send.clone());
        // A thread of its own, as it waits for the replica's end.
        std::thread::spawn(move || {
            let started = {
                let Some(_turn) = turn.take() else { return };
                work::start(&common, &vm)
            };
            let mut client = match started {
                Ok(client) => client,
                Err(failure) => return drop(send.send(not_started(id, &failure))),
            };
            let _ = send.send(Message::Of(id, What::Started));
            let why = match client.wait() {
                Ok((code, why)) => format!("{why}, exit code {code}"),
                Err(error) => error.to_string(),
            };
            let _ = send.send(Message::Of(id, What::Fault(Why::Crashed(why))));
        });
    }

    pub(super) fn warm(&mut self, id: u32) {
        let (Some(address), Some(Warm { path, requests })) =
            (self.address(id), self.common.config.warm.clone())
        else {
            return;
        };
        let (time, grace) = (
            self.common.config.check.timeout,
            self.common.config.check.grace,
        );
        let send = self.send.clone();
        tokio::spawn(async move {
            let end = Instant::now() + grace;
            let mut left = requests;
            while left > 0 && Instant::now() < end {
                match probe::get(address, &path, time).await {
                    Ok(_) => left -= 1,
                    Err(_) => sleep(AGAIN).await,
                }
            }
            let _ = send.send(Message::Of(id, What::Warmed));
        });
    }

    pub(super) fn check(&mut self, id: u32) {
        let (Some(address), Some(vm)) = (self.address(id), self.vm(id)) else {
            return;
        };
        let (common, send) = (Arc::clone(&self.common), self.send.clone());
        tokio::spawn(async move {
            let result = checked(&common, address, vm).await;
            let _ = send.send(Message::Of(id, What::Checked(result)));
        });
    }
}

fn not_started(id: u32, failure: &Failure) -> Message {
    Message::Of(id, What::Fault(Why::NotStarted(failure.to_string())))
}

/// One check of a replica; all that the file asks for must pass.
async fn checked(common: &Arc<Common>, address: SocketAddr, vm: Vm) -> Result<(), String> {
    let check = &common.config.check;
    match &check.http {
        Some(path) => {
            let (status, body) = probe::get(address, path, check.timeout).await?;
            if status != check.status {
                return Err(format!("the status was {status}, not {}", check.status));
            }
            let wanted = check.body.as_deref().unwrap_or("").as_bytes();
            if !wanted.is_empty() && !body.windows(wanted.len()).any(|part| part == wanted) {
                return Err("the body is not what it must be".into());
            }
        }
        None => probe::connect(address, check.timeout).await?,
    }
    if common.plan.check.is_empty() {
        return Ok(());
    }
    let (common, time) = (Arc::clone(common), check.timeout);
    let inside = tokio::task::spawn_blocking(move || work::check_inside(&common, &vm, time));
    inside
        .await
        .unwrap_or_else(|_| Err("the check inside broke off".into()))
}
