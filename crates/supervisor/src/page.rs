//! The VM's page: what every member is told of its VM. Pure: filled here, put into a section by
//! `keeper`.

use std::path::{Path, PathBuf};

use pinion_store::{Vm, VmId};
use pinion_wire::page::{Layer, Page, Share};
use pinion_wire::rules::Rules;
use pinion_wire::text::Text;

use crate::error::{Error, Result};

/// The request pipe of a VM, as a Win32 path.
pub(crate) fn request_pipe(id: VmId) -> String {
    format!(r"\\.\pipe\pinion-sv-{id}")
}

/// What the page is filled from.
pub(crate) struct Facts<'a> {
    /// The VM.
    pub vm: &'a Vm,
    /// The root folder of the store, absolute.
    pub store: &'a Path,
    /// Wine's own folder as a Win32 path, where there is one.
    pub wine_folder: Option<&'a str>,
    /// The session of the supervisor and so of all members.
    pub session: u32,
    /// NT path of the VM's object directory.
    pub object_directory: &'a str,
    /// NT path of Pinion's own key.
    pub store_keys: &'a str,
    /// NT paths of the keys of the VM's layers, the upper's first.
    pub layer_keys: &'a [String],
    /// NT path of the user's own key.
    pub user_key: &'a str,
    /// The host's name.
    pub computer_name: &'a str,
    /// The rules of its policy.
    pub rules: Rules,
}

/// Fills a page.
///
/// # Errors
/// A path is too long for it.
pub(crate) fn fill(facts: &Facts<'_>) -> Result<Box<Page>> {
    let id = facts.vm.id();
    let mut page = Box::new(Page::EMPTY);
    page.session = facts.session;
    page.id = id.get();
    page.address = facts.vm.record().address.octets();
    page.network = facts.vm.record().network.code();
    page.watch = facts.vm.record().watch.into();
    if let Some(desktop) = &facts.vm.record().desktop {
        page.desktop = 1;
        page.title_mark = text(&desktop.mark(facts.vm.record().name.as_str()))?;
    }
    page.object_directory = text(facts.object_directory)?;
    page.pipe_prefix = text(&crate::control::pipe_prefix(id))?;
    page.request_pipe = text(&format!(r"\Device\NamedPipe\pinion-sv-{id}"))?;
    let store = own_path(facts.store);
    page.store_files = text(&nt_path(&store))?;
    let unix_store = facts.wine_folder.and_then(|wine| unix_path(&store, wine));
    page.unix_store = text(&unix_store.unwrap_or_default())?;
    page.wine_folder = text(&facts.wine_folder.unwrap_or_default().replacen(':', "", 1))?;
    page.store_keys = text(facts.store_keys)?;
    page.user_key = text(facts.user_key)?;
    page.computer_name = text(facts.computer_name)?;
    page.rules = facts.rules;
    let stack = facts.vm.stack();
    for ((place, layer), keys) in page.layers.iter_mut().zip(&stack).zip(facts.layer_keys) {
        *place = Layer {
            files: text(&nt_path(&own_path(&layer.files())))?,
            keys: text(keys)?,
        };
        page.layer_count += 1;
    }
    for (place, share) in page.shares.iter_mut().zip(&facts.vm.record().shares) {
        let (host, vm) = share.layer_paths();
        let (Some(host), Some(vm)) = (Text::new(&host), Text::new(&vm)) else {
            continue;
        };
        *place = Share {
            vm,
            host,
            read_only: share.read_only.into(),
        };
        page.share_count += 1;
    }
    Ok(page)
}

/// The path by which the system itself calls what is at `path`: a member's
/// handles have that name, whatever names lead there.
pub(crate) fn own_path(path: &Path) -> PathBuf {
    let Ok(own) = path.canonicalize() else {
        return path.to_owned();
    };
    match own.to_string_lossy().strip_prefix(r"\\?\") {
        Some(dos) if !dos.starts_with("UNC") => PathBuf::from(dos),
        _ => path.to_owned(),
    }
}

/// The NT path of an absolute Win32 path with a drive letter or of a share.
fn nt_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    match path.strip_prefix(r"\\") {
        Some(share) => format!(r"\??\UNC\{share}"),
        None => format!(r"\??\{path}"),
    }
}

/// The NT path by which Wine knows `path`, a Win32 path of its drive C or Z, as one of the Unix file
/// system. `wine` is Wine's own folder, by the drive of the Unix root.
fn unix_path(path: &Path, wine: &str) -> Option<String> {
    let (path, wine) = (path.to_string_lossy(), wine.strip_prefix("Z:")?);
    match path.split_at_checked(2)? {
        ("C:", rest) => Some(format!(r"\??\unix{wine}\drive_c{rest}")),
        ("Z:", rest) => Some(format!(r"\??\unix{rest}")),
        _ => None,
    }
}

fn text<const N: usize>(value: &str) -> Result<Text<N>> {
    let why = || std::io::Error::other("it is too long; set PINION_ROOT to a shorter path");
    let what = || format!("use the path {value}");
    Text::from_utf8(value).ok_or_else(|| Error::System {
        what: what(),
        why: why(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinion_store::{NewVm, Store};

    #[test]
    fn a_filled_page_is_sound() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let share = pinion_store::Share {
            host: r"D:\data".into(),
            vm: r"C:\d".into(),
            read_only: true,
        };
        let new = NewVm {
            shares: vec![share],
            ..NewVm::default()
        };
        let vm = store.create(new).unwrap();
        let page = fill(&Facts {
            vm: &vm,
            store: store.root(),
            wine_folder: Some(r"Z:\home\me\.wine"),
            session: 1,
            object_directory: r"\Sessions\1\BaseNamedObjects\Pinion-1",
            store_keys: "k",
            layer_keys: &["l".into()],
            user_key: "u",
            computer_name: "c",
            rules: Rules::EMPTY,
        })
        .unwrap();
        assert!(page.is_sound());
        assert_eq!(page.id, vm.id().get());
        let prefix = String::from_utf16(page.pipe_prefix.as_units()).unwrap();
        assert_eq!(prefix, format!(r"pinion-{}\", vm.id()));
        assert_eq!(page.layers().len(), 1);
        let [share] = page.shares() else {
            panic!("one share");
        };
        let text = |units| String::from_utf16(units).unwrap();
        assert_eq!(text(share.vm.as_units()), r"C\d");
        assert_eq!(text(share.host.as_units()), r"D\data");
        assert_eq!(share.read_only, 1);
        let folder = String::from_utf16(page.wine_folder.as_units()).unwrap();
        assert_eq!(folder, r"Z\home\me\.wine");
    }

    #[test]
    fn paths_become_nt_paths() {
        assert_eq!(nt_path(Path::new(r"C:\x")), r"\??\C:\x");
        assert_eq!(
            nt_path(Path::new(r"\\server\share")),
            r"\??\UNC\server\share"
        );
    }

    #[test]
    fn paths_of_wines_drives_are_paths_of_unix() {
        let unix = |path| unix_path(Path::new(path), r"Z:\home\me\.wine");
        let of_c = r"\??\unix\home\me\.wine\drive_c\x";
        assert_eq!(unix(r"C:\x").as_deref(), Some(of_c));
        assert_eq!(unix(r"Z:\tmp\x").as_deref(), Some(r"\??\unix\tmp\x"));
        assert_eq!(unix(r"D:\x"), None);
        assert_eq!(unix(r"\\server\share"), None);
    }

    #[test]
    fn a_path_too_long_is_told() {
        let error = text::<8>("123456789").err().unwrap();
        assert!(error.to_string().contains("too long"), "{error}");
    }
}
