//! The same random operations on files and keys, by `random_ops.exe`, inside a
//! VM, where they begin on the host's layer, and on a plain copy outside.

use crate::Wine;
use crate::wine::windows_path;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How often at most operations are left out in search of a shorter story.
const SHRINKS: usize = 120;

/// The line of what was changed on the host.
const OF_THE_HOST: usize = usize::MAX;

/// What one seed does.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// The seed.
    pub seed: u64,
    /// Processes at once.
    pub processes: u64,
    /// Operations of each, or of all together.
    pub operations: u64,
    /// Whether the processes are in one folder and key, in turn, or each is in one
    /// of its own.
    pub together: bool,
}

impl Trial {
    /// How `random_ops.exe` is told to do the operations `indices` in one folder.
    fn words(&self, seed: u64, indices: &str) -> Vec<String> {
        let seed = seed.to_string();
        if self.together {
            let processes = self.processes.to_string();
            vec!["together".into(), seed, processes, indices.into()]
        } else {
            vec!["only".into(), seed, indices.into()]
        }
    }
}

/// The first line in which two runs differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Its number.
    line: usize,
    /// Lines before it, which are the same.
    before: Vec<String>,
    outside: String,
    inside: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.before {
            writeln!(out, "           {line}")?;
        }
        writeln!(out, "  outside: {}", self.outside)?;
        write!(out, "  inside:  {}", self.inside)
    }
}

/// Where it takes place: a folder on drive C and a key below
/// `HKEY_CURRENT_USER\Software`, both of this name, which are made anew.
pub struct Ground<'w> {
    wine: &'w Wine,
    name: String,
}

impl<'w> Ground<'w> {
    /// A ground of `name`, below drive C and `Software`.
    #[must_use]
    pub fn new(wine: &'w Wine, name: &str) -> Self {
        Self {
            wine,
            name: name.into(),
        }
    }

    /// Runs `trial` on both sides; `None` when nothing differs.
    ///
    /// # Errors
    /// When a program does not run to its end, or the host was changed.
    pub fn compare(&self, trial: Trial) -> Result<Option<Difference>> {
        let seed = trial.seed;
        if trial.together {
            let all = format!("0-{}", trial.operations.saturating_sub(1));
            return self.run_both(seed, "1", &trial.words(seed, &all), "\\0");
        }
        let [count, processes] = [trial.operations, trial.processes].map(|n| n.to_string());
        let words = ["run".into(), seed.to_string(), processes.clone(), count];
        self.run_both(seed, &processes, &words, "")
    }

    /// Leaves out operations of the process whose story differs, as long as it
    /// still does: how `random_ops.exe` is told to do those that are left, and the
    /// difference.
    ///
    /// # Errors
    /// As [`Ground::compare`]; when the process alone does as it should.
    pub fn shrink(&self, trial: Trial, difference: &Difference) -> Result<(String, Difference)> {
        let process = if trial.together {
            0
        } else {
            difference.process(trial)?
        };
        let seed = trial.seed + process;
        let words = |indices: &[u64]| {
            let list: Vec<_> = indices.iter().map(u64::to_string).collect();
            trial.words(seed, &list.join(","))
        };
        let try_indices = |indices: &[u64]| self.run_both(seed, "1", &words(indices), "\\0");
        let mut kept: Vec<u64> = (0..trial.operations).collect();
        let mut last = try_indices(&kept)?.context("one process alone does not differ")?;
        kept.truncate(last.line.saturating_add(1));
        let (mut chunk, mut tries) = (kept.len().div_ceil(2), 0);
        while chunk > 0 && tries < SHRINKS {
            let mut at = 0;
            while at < kept.len() && tries < SHRINKS {
                let end = (at + chunk).min(kept.len());
                let fewer = [&kept[..at], &kept[end..]].concat();
                tries += 1;
                let found = if fewer.is_empty() {
                    None
                } else {
                    try_indices(&fewer)?
                };
                match found {
                    Some(found) => {
                        kept = fewer;
                        kept.truncate(found.line.saturating_add(1));
                        last = found;
                    }
                    _ => at = end,
                }
            }
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
        Ok((words(&kept).join(" "), last))
    }

    /// Takes folder and key away.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(self.folder());
        let key = format!("HKCU\\Software\\{}", self.name);
        let _ = self.wine.run("reg", &["delete", &key, "/f"]);
    }

    fn folder(&self) -> PathBuf {
        self.wine.drive_c().join(&self.name)
    }

    /// The folder and the key of one side; the names of sides are equally long.
    fn place(&self, side: &str, below: &str) -> [String; 2] {
        let name = &self.name;
        [
            format!("C:\\{name}\\{side}{below}"),
            format!("Software\\{name}\\{side}{below}"),
        ]
    }

    fn run_both(
        &self,
        seed: u64,
        processes: &str,
        words: &[String],
        below: &str,
    ) -> Result<Option<Difference>> {
        let [folder, key] = self.place("seen", "");
        let [copy, copied_key] = self.place("real", "");
        self.clear();
        let program = windows_path(&self.wine.program("random_ops.exe"));
        let seed = seed.to_string();
        let plant = ["plant", &seed, processes, &folder, &key, &copy, &copied_key];
        let planted = self.wine.run(&program, &plant)?.success()?.stdout;
        let host = picture(&self.folder().join("seen"))?;
        let (inside, outside) = std::thread::scope(|scope| {
            let outside = scope.spawn(|| {
                let place = self.place("real", below);
                let mut arguments: Vec<_> = words.iter().map(String::as_str).collect();
                arguments.extend(place.iter().map(String::as_str));
                self.wine.run(&program, &arguments)?.success()
            });
            let place = self.place("seen", below);
            let mut arguments = vec!["run", "--rm", "--", &program];
            arguments.extend(words.iter().map(String::as_str));
            arguments.extend(place.iter().map(String::as_str));
            let inside = self
                .wine
                .pinion(&arguments)
                .and_then(crate::Output::success);
            (inside, outside.join())
        });
        let Ok(outside) = outside else {
            bail!("the run outside panicked");
        };
        let seen = self.folder().join("seen");
        if let Some(found) = changed(&seen, &host, &picture(&seen)?) {
            return Ok(Some(found));
        }
        let told = self
            .wine
            .run(&program, &["tell", &folder, &key])?
            .success()?;
        if let Some(mut found) = difference(&planted, &told.stdout) {
            found.line = OF_THE_HOST;
            found.before = vec!["the host itself was changed; it was and is:".into()];
            return Ok(Some(found));
        }
        Ok(difference(&outside?.stdout, &inside?.stdout))
    }
}

impl Difference {
    /// The number of the process in whose part of the output the line is.
    fn process(&self, trial: Trial) -> Result<u64> {
        let of_each = usize::try_from(trial.operations + 1)?;
        let process = u64::try_from(self.line / of_each)?;
        if process < trial.processes {
            return Ok(process);
        }
        // Among what was told in the end: by the first part of the path.
        let digits = self.outside.split('\\').nth(1).and_then(|rest| {
            rest.split_whitespace()
                .next()
                .and_then(|word| word.parse().ok())
        });
        digits.context("no process can be told from the line that differs")
    }
}

fn difference(outside: &str, inside: &str) -> Option<Difference> {
    const SHOWN: usize = 6;
    let (outside, inside): (Vec<_>, Vec<_>) = (outside.lines().collect(), inside.lines().collect());
    let at = |lines: &[&str], line: usize| lines.get(line).copied().map(str::to_owned);
    let longer = outside.len().max(inside.len());
    let line = (0..longer).find(|&line| outside.get(line) != inside.get(line))?;
    Some(Difference {
        line,
        before: (line.saturating_sub(SHOWN)..line)
            .filter_map(|line| at(&outside, line))
            .collect(),
        outside: at(&outside, line).unwrap_or_else(|| "(ends)".into()),
        inside: at(&inside, line).unwrap_or_else(|| "(ends)".into()),
    })
}

type Picture = BTreeMap<PathBuf, (u32, i64, i64, Option<Vec<u8>>)>;

/// Every file and folder with its mode, time of change and bytes.
fn picture(folder: &Path) -> Result<Picture> {
    let mut all = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        let metadata = fs::symlink_metadata(&path)?;
        let bytes = metadata.is_file().then(|| fs::read(&path)).transpose()?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&path)? {
                todo.push(entry?.path());
            }
        }
        let time = (metadata.mtime(), metadata.mtime_nsec());
        all.insert(path, (metadata.mode(), time.0, time.1, bytes));
    }
    Ok(all)
}

/// What is not as it was, told as a line is of the listing.
fn changed(folder: &Path, before: &Picture, after: &Picture) -> Option<Difference> {
    let gone = before
        .keys()
        .find(|path| after.get(*path) != before.get(*path));
    let path = gone.or_else(|| after.keys().find(|path| !before.contains_key(*path)))?;
    let shown = path
        .strip_prefix(folder)
        .unwrap_or(path)
        .display()
        .to_string();
    let shown = shown.replace('/', "\\");
    let told = |picture: &Picture| match picture.get(path) {
        None => format!("@\\{shown} is not there"),
        Some((mode, seconds, nanoseconds, bytes)) => {
            let length = bytes.as_ref().map(Vec::len);
            let begin = bytes.iter().flatten().take(20).copied().collect();
            let begin = String::from_utf8(begin).unwrap_or_default();
            format!("@\\{shown} {mode:o} {seconds}.{nanoseconds} {length:?} {begin}")
        }
    };
    Some(Difference {
        line: OF_THE_HOST,
        before: vec!["the host itself was changed; it was and is:".into()],
        outside: told(before),
        inside: told(after),
    })
}
