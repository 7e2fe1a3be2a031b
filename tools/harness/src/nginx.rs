//! The web server of the demo and the benchmarks: its folder, which all copies
//! share.

use crate::Wine;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

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
