//! The program folder that all copies share: nginx and one configuration.

use anyhow::{Context, Result};
use pinion_harness::Wine;
use std::fs;
use std::path::{Path, PathBuf};

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
    remove(wine)?;
    let folder = path(wine);
    copy(wine.nginx(), &folder)
        .with_context(|| format!("copying nginx from {}", wine.nginx().display()))?;
    for name in ["logs", "temp"] {
        fs::create_dir_all(folder.join(name))?;
    }
    fs::write(folder.join("conf").join("nginx.conf"), CONFIGURATION)?;
    Ok(())
}

/// Removes it.
pub fn remove(wine: &Wine) -> Result<()> {
    let folder = wine.drive_c().join("pinion-demo");
    match fs::remove_dir_all(&folder) {
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
