//! One path of the VM as the overlay engine sees it: what each layer has there.

use super::cache;
use super::lasting::{self, Fact};
use super::names::Place;
use super::raw::{self, Basic};
use super::watch::notes;
use super::{base, listing, metadata, names, remove, shares};
use crate::{scratch, state};
use pinion_layers::{Kind, Lookup, Tree, Upper, lookup};
use pinion_names::change::Note;
use pinion_names::file;
use pinion_names::units::{SEPARATOR, join};
use pinion_nt::status::{
    STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_OBJECT_PATH_NOT_FOUND,
};
use pinion_nt::{HANDLE, NTSTATUS};

/// A path as the layers keep it (`C\a\b`), in every layer.
pub(crate) struct View<'p> {
    path: &'p [u16],
    depth: usize,
    /// From which depth on the upper has nothing, as far as is known. Only while
    /// the path is looked up for reading.
    upper_lacks: Option<usize>,
    /// Whether the upper may be said to have the path because it has its neighbours.
    guess: Guess,
    /// The program's handle of what is at the path, which may share with nobody; or null.
    pub(crate) own: HANDLE,
}

/// A guess that the upper has a path.
#[derive(Clone, Copy)]
enum Guess {
    /// Whoever asks must know.
    No,
    /// Whoever asks finds out by the call itself.
    May,
    /// It was made; the path's stamp was this.
    Made(cache::Stamp),
}

impl<'p> View<'p> {
    /// The view of `path`.
    pub(crate) fn new(path: &'p [u16]) -> Self {
        Self {
            path,
            depth: file::depth(path),
            upper_lacks: None,
            guess: Guess::No,
            own: core::ptr::null_mut(),
        }
    }

    /// The view of `path`, of which the program has the handle `own`: it may
    /// share with nobody.
    pub(crate) fn of(own: HANDLE, path: &'p [u16]) -> Self {
        Self {
            own,
            ..Self::new(path)
        }
    }

    /// The number of the host's layer.
    pub(crate) fn host() -> usize {
        state::page().layers().len()
    }

    /// The path.
    pub(crate) fn path(&self) -> &'p [u16] {
        self.path
    }

    /// Times and attributes of what `layer` has at `depth`.
    pub(crate) fn basic(&self, layer: usize, depth: usize) -> Result<Option<Basic>, NTSTATUS> {
        let path = file::prefix(self.path, depth);
        with_name(layer, path, &[], raw::basic).and_then(|found| found)
    }

    /// Gives the upper's directory at `depth` the times of `basic`: what was made
    /// in it is no change that the program made.
    pub(crate) fn set_times(&self, depth: usize, basic: Basic) {
        let path = file::prefix(self.path, depth);
        let how = directory(raw::WRITE_ATTRIBUTES, raw::OPEN);
        let times = Basic {
            attributes: metadata::settable(basic.attributes),
            ..basic
        };
        // Times that cannot be set are no reason to fail.
        let _ = with_name(0, path, &[], |name| {
            raw::open(name, how).and_then(|opened| raw::set_basic(&opened, &times))
        });
    }

    /// What `layer` has at `depth`, asked of the kernel.
    fn ask(&self, layer: usize, depth: usize) -> Result<Option<Kind>, NTSTATUS> {
        let host = layer == Self::host();
        if depth == 0 || depth == 1 && host {
            return Ok(Some(Kind::Directory));
        }
        match self.basic(layer, depth) {
            Ok(found) => Ok(found.map(|basic| kind(&basic))),
            Err(status) if host && status != STATUS_OBJECT_NAME_INVALID => Ok(Some(Kind::Leaf)),
            Err(status) => Err(status),
        }
    }

    /// Keeps from which depth on the snapshot `layer`, which has no entry at
    /// `depth`, says nothing.
    fn keep_nothing(&mut self, layer: usize, depth: usize) -> Result<(), NTSTATUS> {
        for at in 1..=depth {
            let entry = if at == depth {
                None
            } else {
                self.ask(layer, at)?
            };
            if entry == Some(Kind::Leaf) || self.whiteout(layer, at)? {
                return Ok(());
            }
            if entry.is_none() {
                lasting::keep(Fact::Nothing, layer, file::prefix(self.path, at), 0);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes the upper's whiteout of the path away again.
    pub(crate) fn show_again(&self) -> Result<(), NTSTATUS> {
        with_whiteout(0, self.path, remove::raw_delete)??;
        cache::made(self.path);
        Ok(())
    }

    /// Keeps what the host has at the path, when `layer`, in which it is seen,
    /// is the host's: the upper is about to cover it.
    pub(crate) fn keep_base(&self, layer: usize) {
        if layer != Self::host() {
            return;
        }
        if let Ok(Some(stamp)) = with_name(layer, self.path, &[], base::stamp) {
            base::keep(&stamp, self.path);
        }
    }
}

/// How to open or make a directory.
fn directory(access: u32, disposition: u32) -> raw::How {
    raw::How {
        access,
        attributes: 0,
        disposition,
        options: raw::DIRECTORY_FILE,
    }
}

/// Finds the path of `view` for reading. A path of which no layer says anything
/// is said to be the host's, whether it is there or not: the kernel tells. One
/// that a layer had the last time is said to be there still: when it is not,
/// [`cache::gone`] forgets it, and one asks again. Where [`read`] asks, the upper is
/// said to have what it probably has.
pub(crate) fn find(view: &mut View<'_>) -> Result<Lookup, NTSTATUS> {
    let of = |layer| Lookup::Found {
        layer,
        kind: Kind::Leaf,
    };
    let last = cache::Last::of(view.path);
    if let Some(layer) = last.layer() {
        return Ok(of(layer));
    }
    let known = cache::known(view.path);
    let layer = known.layer.or(known.host_only.then(View::host));
    if let Some(layer) = layer {
        last.keep(layer);
        return Ok(of(layer));
    }
    if known.upper_likely && known.upper_lacks.is_none() && matches!(view.guess, Guess::May) {
        view.guess = Guess::Made(known.stamp);
        return Ok(of(0));
    }
    view.upper_lacks = known.upper_lacks;
    let found = look_up(view, known.stamp);
    view.upper_lacks = None;
    found
}

/// As [`find`], of a path of which nothing is known; its stamp was `then`.
fn look_up(view: &mut View<'_>, then: cache::Stamp) -> Result<Lookup, NTSTATUS> {
    if let Some(kind) = view.entry(0, view.depth)? {
        cache::keep_in(view.path, 0, then);
        cache::count_in_upper(view.path, true);
        return Ok(Lookup::Found { layer: 0, kind });
    }
    if let Some(depth) = silent_from(view, then)? {
        let above = file::prefix(view.path, depth);
        cache::keep_above(cache::Fact::HostOnly, above, view.path, then);
        return Ok(Lookup::Found {
            layer: View::host(),
            kind: Kind::Leaf,
        });
    }
    let found = lookup(view)?;
    if let Lookup::Found { layer, .. } = found
        && layer != View::host()
    {
        cache::keep_in(view.path, layer, then);
    }
    Ok(found)
}

/// Answers a call that only reads by `call` on the layer that has the path of
/// `view`.
pub(crate) fn read(view: &mut View<'_>, call: impl Fn(usize) -> NTSTATUS) -> NTSTATUS {
    view.guess = Guess::May;
    let status = read_once(view, &call);
    let missing = raw::is_missing(status);
    let guess = core::mem::replace(&mut view.guess, Guess::No);
    let guessed = if let Guess::Made(then) = guess {
        if !missing {
            cache::keep_in(view.path, 0, then);
        }
        cache::count_in_upper(view.path, !missing);
        true
    } else {
        false
    };
    if missing && (guessed || cache::gone(view.path)) {
        return read_once(view, &call);
    }
    status
}

fn read_once(view: &mut View<'_>, call: impl Fn(usize) -> NTSTATUS) -> NTSTATUS {
    let layer = match find(view) {
        Ok(Lookup::Found { layer, .. }) => layer,
        Ok(Lookup::NoName) => return STATUS_OBJECT_NAME_NOT_FOUND,
        Ok(Lookup::NoPath) => return STATUS_OBJECT_PATH_NOT_FOUND,
        Err(status) => return status,
    };
    let status = call(layer);
    // The host may lack the directory too, which a layer has.
    if layer == View::host()
        && status == STATUS_OBJECT_PATH_NOT_FOUND
        && matches!(lookup(view), Ok(Lookup::NoName))
    {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    status
}

/// The least depth at which no layer above the host says anything, if there is
/// one. The upper has no entry for the whole path, whose stamp was `then`.
fn silent_from(view: &mut View<'_>, then: cache::Stamp) -> Result<Option<usize>, NTSTATUS> {
    let mut least = 1;
    for layer in 0..View::host() {
        let Some(depth) = silent_in(view, layer)? else {
            return Ok(None);
        };
        if layer == 0 && view.upper_lacks.is_none() {
            let above = file::prefix(view.path, depth);
            cache::keep_above(cache::Fact::NotInUpper, above, view.path, then);
            view.upper_lacks = Some(depth);
        }
        least = least.max(depth);
    }
    Ok(Some(least))
}

/// The least depth from which on `layer` says nothing, if there is one.
fn silent_in(view: &mut View<'_>, layer: usize) -> Result<Option<usize>, NTSTATUS> {
    if layer > 0
        && let Some(depth) = lasting::depth_of(Fact::Nothing, layer, view.path)
    {
        return Ok(Some(depth));
    }
    let (whole, above) = (view.depth, view.depth.saturating_sub(1));
    // Where there is a directory, all above it are.
    let has_all = above > 1 && view.entry(layer, above)? == Some(Kind::Directory);
    for depth in 1..=whole {
        let entry = if depth == whole && layer == 0 {
            None
        } else if has_all && depth < whole {
            Some(Kind::Directory)
        } else {
            view.entry(layer, depth)?
        };
        match entry {
            Some(Kind::Directory) if !view.whiteout(layer, depth)? => {}
            None if !view.whiteout(layer, depth)? => return Ok(Some(depth)),
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Runs `work` with the NT name of what `place` names in `layer` (also one of a
/// share).
pub(crate) fn with_place<R>(
    layer: usize,
    place: &Place<'_>,
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    match place.asked {
        Some(name) if layer == View::host() => Ok(work(name)),
        _ => with_name(layer, place.path, place.tail, work),
    }
}

/// Runs `work` with the NT name of `path` in `layer` (also one of a share), `tail`
/// added.
pub(crate) fn with_name<R>(
    layer: usize,
    path: &[u16],
    tail: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    let root = state::page()
        .layers()
        .get(layer)
        .map(|layer| layer.files.as_units());
    let share = shares::number(layer);
    let more = share.map_or(0, shares::room);
    let room = root.map_or(8, |root| root.len() + 1) + more + path.len() + tail.len();
    scratch::with(room, |out| {
        let made = match (root, share) {
            (Some(root), _) => file::layer(root, path, out),
            (None, Some(number)) => shares::host_name(number, path, out),
            (None, None) => file::host(path, out),
        };
        let length = made.map_err(|_| STATUS_NAME_TOO_LONG)?;
        let end = length + tail.len();
        out.get_mut(length..end)
            .ok_or(STATUS_NAME_TOO_LONG)?
            .copy_from_slice(tail);
        Ok(work(out.get(..end).unwrap_or(&[])))
    })
    .unwrap_or(Err(STATUS_NAME_TOO_LONG))
}

/// Runs `work` with the second name of `path` in `layer`, by which Wine opens
/// what is there and spelled so; `None` where there is no such name.
pub(crate) fn with_unix_name<R>(
    layer: usize,
    path: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Option<R> {
    let (layer, store) = (
        state::page().layers().get(layer)?,
        &state::page().unix_store,
    );
    let (store, folder) = (store.as_units(), names::in_store(layer)?);
    if store.is_empty() {
        return None;
    }
    scratch::with(store.len() + folder.len() + 1 + path.len(), |out| {
        let parts = [store, folder, &[SEPARATOR], path];
        let length = join(&parts, out).ok()?;
        Some(work(out.get(..length)?))
    })?
}

impl Tree for View<'_> {
    type Error = NTSTATUS;

    fn layers(&self) -> usize {
        Self::host() + 1
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn entry(&mut self, layer: usize, depth: usize) -> Result<Option<Kind>, NTSTATUS> {
        if layer == 0
            && let Some(from) = self.upper_lacks
        {
            return Ok((depth < from).then_some(Kind::Directory));
        }
        if layer == 0 || layer == Self::host() {
            return self.ask(layer, depth);
        }
        let path = file::prefix(self.path, depth);
        if lasting::knows_above(Fact::Nothing, layer, path) {
            return Ok(None);
        }
        if lasting::knows(Fact::Directory, layer, path) {
            return Ok(Some(Kind::Directory));
        }
        let found = self.ask(layer, depth)?;
        match found {
            Some(Kind::Directory) => lasting::keep(Fact::Directory, layer, path, 0),
            Some(Kind::Leaf) => {}
            None => self.keep_nothing(layer, depth)?,
        }
        Ok(found)
    }

    fn whiteout(&mut self, layer: usize, depth: usize) -> Result<bool, NTSTATUS> {
        if depth < 2 || layer == 0 && self.upper_lacks.is_some() {
            return Ok(false);
        }
        let path = file::prefix(self.path, depth);
        if layer > 0 && lasting::knows_above(Fact::Nothing, layer, path) {
            return Ok(false);
        }
        let directory = file::split_last(path).0;
        if lasting::knows(Fact::Bare, layer, directory) {
            return Ok(false);
        }
        if !lasting::knows(Fact::Hides, layer, directory) {
            let then = lasting::count(layer);
            if !listing::hides_any(layer, directory)? {
                lasting::keep(Fact::Bare, layer, directory, then);
                return Ok(false);
            }
            lasting::keep(Fact::Hides, layer, directory, then);
        }
        with_whiteout(layer, path, raw::basic).and_then(|found| Ok(found?.is_some()))
    }

    fn is_silent(&self, layer: usize, depth: usize) -> bool {
        let snapshot = layer > 0 && layer < Self::host();
        let path = file::prefix(self.path, depth);
        snapshot && lasting::knows_above(Fact::Nothing, layer, path)
    }
}

fn kind(basic: &Basic) -> Kind {
    if basic.attributes & raw::DIRECTORY != 0 {
        Kind::Directory
    } else {
        Kind::Leaf
    }
}

/// Runs `work` with the NT name of the whiteout of `path` in `layer`.
fn with_whiteout<R>(
    layer: usize,
    path: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    scratch::with(path.len() + 4, |out| {
        let length = file::whiteout(path, out).map_err(|_| STATUS_NAME_TOO_LONG)?;
        with_name(layer, out.get(..length).unwrap_or(&[]), &[], work)
    })
    .unwrap_or(Err(STATUS_NAME_TOO_LONG))
}

impl Upper for View<'_> {
    fn make_directory(&mut self, depth: usize, like: usize) -> Result<(), NTSTATUS> {
        let path = file::prefix(self.path, depth);
        let make = |path: &[u16]| {
            if depth > 1 {
                notes::leave(Note::Copied, path);
            }
            let how = directory(raw::WRITE_ATTRIBUTES | raw::READ_CONTROL, raw::OPEN_IF);
            with_name(0, path, &[], |name| raw::open(name, how))?
        };
        if depth < 2 {
            make(path)?;
            cache::made(path);
            return Ok(());
        }
        let open = |access| {
            with_name(like, path, &[], |name| {
                raw::open(name, directory(access, raw::OPEN))
            })?
        };
        let original = open(raw::READ_ATTRIBUTES | raw::READ_CONTROL)
            .or_else(|_| open(raw::READ_ATTRIBUTES))?;
        let above = self.basic(0, depth - 1)?;
        let made = names::with_own_case(original.0, path, make)??;
        cache::made(path);
        if let Ok(Some(mut basic)) = self.basic(like, depth) {
            if like == Self::host() {
                base::keep_directory(&original, &made, basic.attributes, path);
            }
            basic.attributes = metadata::settable(basic.attributes);
            // A directory whose times cannot be kept is a directory all the same.
            let _ = raw::set_basic(&made, &basic);
        }
        if let Some(above) = above {
            self.set_times(depth - 1, above);
        }
        Ok(())
    }

    fn set_whiteout(&mut self) -> Result<(), NTSTATUS> {
        let how = raw::How {
            access: 0,
            attributes: 0,
            disposition: raw::OPEN_IF,
            options: raw::NON_DIRECTORY_FILE,
        };
        // With an entry of the upper's own what it was made from is kept already,
        // and who watches hears of its end.
        let alone = match self.entry(0, self.depth)? {
            Some(_) => None,
            None => match lookup(self)? {
                Lookup::Found {
                    layer,
                    kind: Kind::Leaf,
                } => Some(layer),
                _ => None,
            },
        };
        if let Some(layer) = alone {
            self.keep_base(layer);
        }
        let set = with_whiteout(0, self.path, |name| raw::open(name, how))?;
        cache::made(self.path);
        lasting::hidden();
        set?;
        if let Some(layer) = alone {
            notes::hidden(layer, self.path);
        }
        Ok(())
    }
}
