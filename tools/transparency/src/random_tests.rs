//! The second judge: random operations on files and keys, whose answers inside
//! must be those outside.

use crate::side::{Side, Where};
use anyhow::Result;
use clap::Args;
use pinion_harness::random::{Ground, Trial};
use std::path::Path;

/// How many trials, and of what size.
#[derive(Debug, Clone, Args)]
pub struct Plan {
    /// Random operations only, with this many seeds
    #[arg(long)]
    pub seeds: Option<u64>,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Operations of each process, and of all in one tree
    #[arg(long, default_value_t = 1500)]
    operations: u64,
    /// Processes at once
    #[arg(long, default_value_t = 3)]
    processes: u64,
    /// Tell the first difference as it is, without the search for fewer operations that still lead to it
    #[arg(long)]
    whole: bool,
}

/// Tries `seeds` seeds, and stops at the first that differs: whether none did.
///
/// # Errors
/// When a program does not run to its end, or the host was changed.
pub fn run(plan: &Plan, seeds: u64, cache: &Path) -> Result<bool> {
    let side = Side::new(Where::Inside, cache)?;
    let wine = side.wine();
    let ground = Ground::new(wine, "random");
    let version = wine.version()?;
    for seed in (plan.seed..).take(usize::try_from(seeds)?) {
        for together in [false, true] {
            let trial = Trial {
                seed,
                processes: plan.processes,
                operations: plan.operations,
                together,
            };
            let how = if together { "together" } else { "apart" };
            let what = format!("random operations, seed {seed}, {how}, {version}");
            let Some(found) = ground.compare(trial)? else {
                println!("{what}: the same inside and outside");
                continue;
            };
            println!("{what}: not the same inside\n{found}");
            if !plan.whole {
                let (words, found) = ground.shrink(trial, &found)?;
                println!("with fewer operations: random_ops {words}\n{found}");
            }
            return Ok(false);
        }
    }
    Ok(true)
}
