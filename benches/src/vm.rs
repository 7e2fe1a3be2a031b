//! VMs of the benchmarks, in a store of their own.

use anyhow::{Context, Result};
use pinion_harness::Wine;
use pinion_harness::wine::windows_path;

/// The store.
pub const STORE: &str = "C:\\pinion-store";
/// The same from drive C on.
pub const IN_DRIVE_C: &str = "pinion-store";

/// Starts a VM that stays up while `workload.exe` holds it, over what `from`
/// names.
pub fn hold(wine: &Wine, name: &str, from: Option<&str>) -> Result<()> {
    let from: Vec<&str> = from
        .map(|from| ["--from", from])
        .into_iter()
        .flatten()
        .collect();
    hold_with(wine, name, &from)
}

/// The same with these options.
pub fn hold_with(wine: &Wine, name: &str, options: &[&str]) -> Result<()> {
    let program = windows_path(&wine.program("workload.exe"));
    let mut arguments = vec!["run", "-d", "--name", name];
    arguments.extend(options);
    arguments.extend(["--", &program, "hold"]);
    wine.pinion(&arguments)?
        .success()
        .with_context(|| format!("starting the VM {name}"))?;
    Ok(())
}

/// Removes every VM and snapshot of the benchmarks' store, and their folder.
pub fn remove_all(wine: &Wine) {
    for (list, remove) in [
        (&["ls", "-q"] as &[_], &["rm", "-f"] as &[_]),
        (&["snapshots", "-q"], &["snapshot", "rm", "-f"]),
    ] {
        let listed = wine.pinion(list).map(|output| output.stdout);
        let listed = listed.unwrap_or_default();
        let names: Vec<_> = listed.split_whitespace().collect();
        if !names.is_empty() {
            let _ = wine.pinion(&[remove, &names].concat());
        }
    }
    let _ = std::fs::remove_dir_all(wine.drive_c().join("pinion-bench"));
}
