//! The web server of the demo and the benchmarks: its folder, which all copies
//! share.

use crate::{Wine, web};
use anyhow::{Context, Result, bail};
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Lays the program anew into `folder` below drive C, with the configuration
/// text `configuration`, and gives its Unix path.
///
/// # Errors
/// When a file cannot be written, or nginx was not built.
pub fn lay(wine: &Wine, folder: &str, configuration: &str) -> Result<PathBuf> {
    let folder = wine.drive_c().join(folder);
    remove(&folder)?;
    copy(wine.nginx(), &folder)
        .with_context(|| format!("copying nginx from {}", wine.nginx().display()))?;
    for name in ["logs", "temp"] {
        fs::create_dir_all(folder.join(name))?;
    }
    fs::write(folder.join("conf").join("nginx.conf"), configuration)?;
    Ok(folder)
}

/// Ends every nginx outside of VMs and waits until its port is free. Wine's
/// taskkill may miss a worker whose master it has just ended (seen on Wine 10).
///
/// # Errors
/// When something still listens on the port after ten seconds.
pub fn end_host_copies(wine: &Wine, port: u16) -> Result<()> {
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let start = Instant::now();
    loop {
        wine.run("taskkill", &["/f", "/im", "nginx.exe"])?;
        if !web::listens(address) {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(10) {
            bail!("something still listens on {address}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Removes a folder that may not be there.
///
/// # Errors
/// When it is there and stays.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
