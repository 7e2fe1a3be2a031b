//! The program folder that all copies share: nginx and one configuration.

use anyhow::Result;
use pinion_harness::{Wine, nginx};
use std::path::PathBuf;

/// The folder as Windows names it.
pub const PROGRAM: &str = "C:\\pinion-demo\\nginx";
/// The store of the demo's VMs, apart from the user's own.
pub const STORE: &str = "C:\\pinion-demo\\store";
/// The port that every copy listens on.
pub const PORT: u16 = 8080;

const CONFIGURATION: &str = "worker_processes 1;
events { worker_connections 256; }
http {
    include mime.types;
    server {
        listen 8080;
        location / { root html; index index.html; }
    }
}
";

/// The folder as Unix names it.
pub fn path(wine: &Wine) -> PathBuf {
    wine.drive_c().join("pinion-demo").join("nginx")
}

/// Lays the folder anew: the program, its page, one configuration.
pub fn lay(wine: &Wine) -> Result<()> {
    nginx::lay(wine, "pinion-demo/nginx", CONFIGURATION)?;
    Ok(())
}

/// Removes it.
pub fn remove(wine: &Wine) -> Result<()> {
    nginx::remove(&wine.drive_c().join("pinion-demo"))
}
