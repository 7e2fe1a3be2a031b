//! Count what a layer holds.

use std::fs;
use std::path::PathBuf;

/// The most folders looked into: a program inside can make any number.
const MOST_FOLDERS: usize = 100_000;

/// All below `root`, the folder of a layer's drives, that is no folder, without what is there of the layer
/// itself. Links are counted and not followed.
pub(crate) fn files(root: PathBuf) -> u64 {
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .map(|item| item.path())
        .collect();
    let (mut files, mut seen) = (0, 0);
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > MOST_FOLDERS {
            break;
        }
        for item in fs::read_dir(folder).into_iter().flatten().flatten() {
            match item.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(item.path()),
                _ => files += 1,
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_files_at_any_depth_and_no_folders() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(pinion_wire::base::NAME), "").unwrap();
        fs::write(folder.path().join("layer.json"), "").unwrap();
        fs::create_dir_all(folder.path().join("C/x/y")).unwrap();
        fs::write(folder.path().join("C/x/y/file"), "").unwrap();
        fs::write(folder.path().join("C/file"), "").unwrap();
        assert_eq!(files(folder.path().into()), 2);
        assert_eq!(files(folder.path().join("no")), 0);
    }
}
