//! One layer: a folder of files and a registry key, both named by the layer's identity.
//!
//! Owns where they are, their making, the check that they are there, and their removal. A layer is the
//! upper of one VM, or read-only below any number. It knows nothing of VMs.
//!
//! An upper is made when its VM first needs it: one that is not there is empty. A layer below an upper
//! must be there.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::changes::FileTree;
#[cfg(windows)]
use crate::changes::KeyTree;
use crate::error::{Error, Result};
use crate::id::LayerId;

/// The format of layers on disk and in the registry that this Pinion makes (docs/LAYERS.md). It reads
/// and writes those of format 1, too.
pub const LAYER_FORMAT: u32 = 2;

/// Where a layer says what it is, beside the folders of its drives.
pub(crate) const RECORD: &str = "layer.json";

/// Where a store has its layers of format 1.
pub(crate) const FORMER_PLACE: &str = "layers";

/// Where a layer of format 1 has the folders of its drives. No drive has such a name.
const FORMER_FILES: &str = "files";

/// A layer by its identity; it need not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    id: LayerId,
    folder: PathBuf,
}

/// What is kept of a layer itself, in `layer.json`.
#[derive(Debug, Serialize, Deserialize)]
struct LayerRecord {
    format: u32,
    id: LayerId,
}

impl Layer {
    /// The layer of the store at `root`.
    pub(crate) fn at(root: &Path, id: LayerId) -> Self {
        let name = id.to_string();
        let former = root.join(FORMER_PLACE).join(&name);
        let folder = if former.is_dir() {
            former
        } else {
            root.join(name)
        };
        Self { id, folder }
    }

    /// The identity.
    #[must_use]
    pub fn id(&self) -> LayerId {
        self.id
    }

    /// The layer's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of changed files: `C\...` by drive letter, and beside them the layer's record. It is the
    /// layer's own folder, since each folder above a file costs its every open.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        let former = self.folder.join(FORMER_FILES);
        if former.is_dir() {
            former
        } else {
            self.folder.clone()
        }
    }

    /// NT path of the key of changed keys.
    ///
    /// # Errors
    /// The user's own key cannot be found.
    #[cfg(windows)]
    pub fn keys(&self) -> Result<String> {
        crate::registry::layer_path(self.id)
    }

    /// Its files, to be walked.
    #[must_use]
    pub fn file_tree(&self) -> FileTree {
        FileTree::layer(&self.files())
    }

    /// Its keys, to be walked.
    ///
    /// # Errors
    /// As [`Layer::keys`].
    #[cfg(windows)]
    pub fn key_tree(&self) -> Result<KeyTree> {
        Ok(KeyTree::layer(&self.keys()?))
    }

    /// Makes what is missing of it: the folder and its record, then the key. So a key without a folder
    /// is no layer's.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(&self) -> Result<()> {
        let files = self.files();
        fs::create_dir_all(&files).map_err(|e| Error::io("create", &files, e))?;
        let path = self.folder.join(RECORD);
        if atomic::read(&path)?.is_none() {
            let record = LayerRecord {
                format: if files == self.folder {
                    LAYER_FORMAT
                } else {
                    1
                },
                id: self.id,
            };
            atomic::write_json(&path, &record)?;
        }
        #[cfg(windows)]
        crate::registry::create_layer(self.id)?;
        Ok(())
    }

    /// Whether it is there, whole, and of a format that this Pinion knows.
    ///
    /// # Errors
    /// [`Error::DamagedLayer`], [`Error::NewerFormat`].
    pub fn check(&self) -> Result<()> {
        let path = self.folder.join(RECORD);
        let damaged = |why: String| Error::DamagedLayer {
            folder: self.folder.clone(),
            why,
        };
        let text =
            atomic::read(&path)?.ok_or_else(|| damaged("its layer.json is missing".into()))?;
        let record: LayerRecord =
            serde_json::from_str(&text).map_err(|e| damaged(format!("its layer.json: {e}")))?;
        if record.format > LAYER_FORMAT {
            return Err(Error::NewerFormat {
                path,
                found: record.format,
                known: LAYER_FORMAT,
            });
        }
        if record.id != self.id {
            return Err(damaged(format!(
                "its layer.json is of the layer {}",
                record.id
            )));
        }
        if record.format == 1 && self.files() == self.folder {
            return Err(damaged("its folder 'files' is missing".into()));
        }
        Ok(())
    }

    /// Whether nothing at all was ever changed in it.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn is_empty(&self) -> Result<bool> {
        let files = self.files();
        let any_file = match fs::read_dir(&files) {
            Ok(items) => items
                .flatten()
                .map(|item| item.file_name())
                .any(|name| name != pinion_wire::base::NAME && name != RECORD),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(Error::io("list", &files, error)),
        };
        #[cfg(windows)]
        let any_key = crate::registry::has_keys(self.id)?;
        #[cfg(not(windows))]
        let any_key = false;
        Ok(!any_file && !any_key)
    }
}
