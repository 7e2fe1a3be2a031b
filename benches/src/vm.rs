//! VMs of the benchmarks, in a store of their own.

use anyhow::{Context, Result};
use pinion_harness::Wine;
use pinion_harness::wine::windows_path;

/// The store.
pub const STORE: &str = "C:\\pinion-bench\\store";
/// The same from drive C on.
pub const IN_DRIVE_C: &str = "pinion-bench/store";

/// Starts a VM that stays up while `names.exe` holds it.
pub fn hold(wine: &Wine, name: &str) -> Result<()> {
    let program = windows_path(&wine.program("workload.exe"));
    wine.pinion(&["run", "-d", "--name", name, "--", &program, "hold"])?
        .success()
        .with_context(|| format!("starting the VM {name}"))?;
    Ok(())
}

/// Removes every VM of the benchmarks' store.
pub fn remove_all(wine: &Wine) {
    let Ok(listed) = wine.pinion(&["ls", "-q", "-a"]) else {
        return;
    };
    for name in listed.stdout.split_whitespace() {
        let _ = wine.pinion(&["rm", "-f", name]);
    }
    let _ = std::fs::remove_dir_all(wine.drive_c().join("pinion-bench"));
}
