//! Merging what a VM changed into a new snapshot: a layer with a copy of what is selected, over those that
//! the VM stands on. The VM stays as it is.

use std::fs::File;

use super::select::{Chosen, Selection};
use crate::archive::{Links, Place, gather};
use crate::changes::FileTree;
use crate::error::{Error, Result};
use crate::metadata::{Extras, System};
use crate::name::VmName;
use crate::record::MOST_LAYERS;
use crate::snapshot::{NewSnapshot, Snapshot};
use crate::store::Store;
use crate::vm::Vm;

/// Makes the snapshot `name` of what is selected of the VM, which does not run.
///
/// # Errors
/// [`Error::NotAtRest`], [`Error::TooDeep`], a taken name, or what cannot be copied.
pub fn commit_into(
    store: &Store,
    vm: &Vm,
    selection: &Selection,
    name: VmName,
) -> Result<Snapshot> {
    let _at_rest = vm.at_rest("merge")?;
    store.refuse_taken(&name)?;
    vm.check_layers()?;
    let record = vm.record();
    if record.layers.len() >= MOST_LAYERS {
        return Err(Error::TooDeep {
            name: record.name.to_string(),
        });
    }
    let (layer, claim) = store.claimed_layer()?;
    layer.make()?;
    let upper = vm.upper();
    if upper.folder().exists() {
        let place = Place::own(&layer)?;
        copy_files(&upper.file_tree(), &place, selection)?;
        copy_bases(&upper.files(), &layer.files())?;
        #[cfg(windows)]
        crate::archive::each_key(
            &upper.keys()?,
            &mut |key| match selection.key(&key.path()) {
                Chosen::No => Ok(()),
                Chosen::OnTheWay if key.is_whiteout() => Ok(()),
                _ => place.key(key),
            },
        )?;
    }
    let mut layers = vec![layer.id()];
    layers.extend(&record.layers);
    let lock = store.lock()?;
    let snapshot = store.add_snapshot(
        &lock,
        NewSnapshot {
            name,
            vm: Some(record.name.clone()),
            layers,
            command: record.command.clone(),
            env: record.env.clone(),
            cwd: record.cwd.clone(),
            policy: record.policy.clone(),
        },
    )?;
    drop(claim);
    store.trust(layer.id());
    Ok(snapshot)
}

fn copy_files(upper: &FileTree, place: &Place, selection: &Selection) -> Result<()> {
    let mut nodes = Vec::new();
    let mut links = Links::default();
    gather(upper, &mut Vec::new(), &mut |found, node| {
        let copy = match selection.file(&found.about()) {
            Chosen::No => false,
            Chosen::OnTheWay => node.directory,
            Chosen::Yes => true,
        };
        if !copy {
            return Ok(());
        }
        if let Some(first) = links.first(&found) {
            return place.link(&node.path, &first);
        }
        match found.real() {
            _ if node.directory => place.directory(&node.path)?,
            None => place.file(&node.path, &mut std::io::empty())?,
            Some(real) => {
                let mut bytes = File::open(real).map_err(|e| Error::io("read", real, e))?;
                place.file(&node.path, &mut bytes)?;
            }
        }
        if let Some(real) = found.real() {
            for stream in found.streams() {
                let mut bytes = System
                    .read(real, &stream.name)
                    .map_err(|e| Error::io("read", real, e))?;
                place.stream(&node.path, &stream.name, &mut bytes)?;
            }
        }
        nodes.push(node.clone());
        Ok(())
    })?;
    nodes.iter().try_for_each(|node| place.node(node))
}

/// Keeps the bases of what is copied.
fn copy_bases(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let name = pinion_wire::base::NAME;
    match std::fs::copy(from.join(name), to.join(name)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("write", &to.join(name), e))
        }
        _ => Ok(()),
    }
}
