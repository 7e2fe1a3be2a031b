//! What happens without VMs: the second copy fails.

use crate::folder;
use anyhow::{Context, Result, bail};
use pinion_harness::{Wine, nginx, web};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Starts one copy on the plain host, then a second, and gives the second's
/// error. Ends both.
pub fn second_copy(wine: &Wine) -> Result<String> {
    let folder = folder::path(wine);
    let program = folder.join("nginx.exe");
    let mut command = wine.command(&program);
    command.current_dir(&folder);
    let first = wine.start(command)?;
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, folder::PORT);
    let log = || std::fs::read_to_string(folder.join("logs").join("error.log")).unwrap_or_default();
    web::wait(address, "/", Duration::from_secs(20)).with_context(|| {
        let port = folder::PORT;
        format!(
            "the first copy does not run; is port {port} of this machine free? {}",
            log()
        )
    })?;
    let second = wine.run_in::<&str>(&folder, &program, &[], Duration::from_secs(20));
    nginx::end_host_copies(wine, folder::PORT)?;
    let _ = first.finish(Duration::from_secs(10));
    let second = second?;
    let log = log();
    let error = second
        .stderr
        .lines()
        .chain(log.lines())
        .find(|line| line.contains("bind()"));
    match error {
        Some(line) if second.code != 0 => Ok(line.trim().to_owned()),
        _ => bail!("the second copy did not fail on the plain host: {second:?}"),
    }
}
