//! The VM's page: what a member must know of its VM, in one read-only section
//! that the supervisor fills once and every member maps.

use crate::rules::Rules;
use crate::text::Text;

/// `b"pinionVM"`, little endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"pinionVM");

/// The most layers (upper included) that a VM's stack can have.
pub const LAYERS: usize = 16;

/// An NT path of a place of the store, in UTF-16 units.
pub type Path = Text<520>;

/// One layer of the VM's files and keys.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Layer {
    /// NT path of the directory of changed files, such as
    /// `\??\C:\users\me\AppData\Local\Pinion\b2c1f0e4d5a69788`.
    pub files: Path,
    /// NT path of the key of changed keys, such as
    /// `\REGISTRY\User\S-1-5-21-0-0-0-1000\Software\Pinion\Layers\<id>`.
    pub keys: Path,
}

impl Layer {
    /// A layer of no place.
    pub const EMPTY: Self = Self {
        files: Path::EMPTY,
        keys: Path::EMPTY,
    };
}

/// The most folders that a VM can share with the host.
pub const SHARES: usize = 16;

/// A layer path (`C\data`) of a shared folder, in UTF-16 units.
pub type Folder = Text<260>;

/// A folder that is the host's own.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Share {
    /// Its layer path in the VM.
    pub vm: Folder,
    /// Its layer path on the host.
    pub host: Folder,
    /// 0 when members may change what is in it.
    pub read_only: u32,
}

impl Share {
    /// No folder.
    pub const EMPTY: Self = Self {
        vm: Folder::EMPTY,
        host: Folder::EMPTY,
        read_only: 1,
    };

    /// Whether both paths are there.
    fn is_sound(&self) -> bool {
        !self.vm.as_units().is_empty() && !self.host.as_units().is_empty()
    }
}

/// The VM's page. One fixed layout of less than 64 KiB.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Page {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`crate::VERSION`].
    pub version: u32,
    /// The session whose `BaseNamedObjects` the members' bare names mean.
    pub session: u32,
    /// The VM's identity; names of the VM's places carry it as 16 hex digits.
    pub id: u64,
    /// The VM's loopback address, in network order: `[127, x, y, z]`.
    pub address: [u8; 4],
    /// How many of `layers` are used; the first is the writable upper.
    pub layer_count: u32,
    /// What its members reach by sockets: a number of `names::socket::Network`.
    pub network: u32,
    /// Not 0 when the VM's windows are on the user's desktop, among those of all
    /// programs.
    pub desktop: u32,
    /// Not 0 when nothing is confined: the agent records what programs do and lets it pass.
    pub watch: u32,
    /// What goes before the titles of its windows there.
    pub title_mark: Text<64>,
    /// NT path of the VM's object directory, without a trailing backslash. The
    /// absolute object name `N` of a member means this path followed by `N`.
    pub object_directory: Text<128>,
    /// What goes before a member's pipe or mailslot name, such as
    /// `pinion-<id>\`.
    pub pipe_prefix: Text<64>,
    /// NT path of the supervisor's request pipe, which no member can name.
    pub request_pipe: Text<128>,
    /// NT path of the store's root, which is closed to members.
    pub store_files: Path,
    /// The same directory as a path of the Unix file system, `\??\unix\home\…`:
    /// a second name by which Wine opens what is there, if spelled exactly, with
    /// fewer questions to the file system. Empty on Windows.
    pub unix_store: Path,
    /// Wine's own folder as a path of a drive, such as `Z\home\me\.wine`, below
    /// which the files of the other drives show a second time; empty where there
    /// is none.
    pub wine_folder: Path,
    /// NT path of the store's root key, which is closed to members.
    pub store_keys: Path,
    /// NT path of the user's own key, `\REGISTRY\User\<SID>`.
    pub user_key: Text<260>,
    /// The host's own name, under which `\\name\pipe` means the local system.
    pub computer_name: Text<64>,
    /// The stack of layers, upper first.
    pub layers: [Layer; LAYERS],
    /// How many of `shares` are used.
    pub share_count: u32,
    /// The folders that are the host's own.
    pub shares: [Share; SHARES],
    /// The rules of the VM's policy.
    pub rules: Rules,
}

impl Page {
    /// A page of no VM, to be filled by the supervisor.
    pub const EMPTY: Self = Self {
        magic: MAGIC,
        version: crate::VERSION,
        session: 0,
        id: 0,
        address: [0; 4],
        layer_count: 0,
        network: 0,
        desktop: 0,
        watch: 0,
        title_mark: Text::EMPTY,
        object_directory: Text::EMPTY,
        pipe_prefix: Text::EMPTY,
        request_pipe: Text::EMPTY,
        store_files: Path::EMPTY,
        unix_store: Path::EMPTY,
        wine_folder: Path::EMPTY,
        store_keys: Path::EMPTY,
        user_key: Text::EMPTY,
        computer_name: Text::EMPTY,
        layers: [Layer::EMPTY; LAYERS],
        share_count: 0,
        shares: [Share::EMPTY; SHARES],
        rules: Rules::EMPTY,
    };

    /// Whether the page is of this build and of a VM.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.magic == MAGIC
            && self.version == crate::VERSION
            && self.layer_count >= 1
            && self.layer_count as usize <= LAYERS
            && self.share_count as usize <= SHARES
            && self.shares().iter().all(Share::is_sound)
            && self.rules.is_sound()
            && !self.object_directory.as_units().is_empty()
            && !self.pipe_prefix.as_units().is_empty()
    }

    /// The used shares.
    #[must_use]
    pub fn shares(&self) -> &[Share] {
        self.shares.get(..self.share_count as usize).unwrap_or(&[])
    }

    /// The used layers, upper first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        self.layers.get(..self.layer_count as usize).unwrap_or(&[])
    }
}

const _: () = assert!(size_of::<Page>() <= 0x1_0000);

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Page {
        Page {
            layer_count: 1,
            object_directory: Text::from_utf8("\\R").expect("fits"),
            pipe_prefix: Text::from_utf8("p\\").expect("fits"),
            ..Page::EMPTY
        }
    }

    #[test]
    fn a_filled_page_is_sound_and_others_are_not() {
        assert!(sound().is_sound());
        assert!(!Page::EMPTY.is_sound());
        assert!(
            !Page {
                version: 0,
                ..sound()
            }
            .is_sound()
        );
        assert!(
            !Page {
                magic: 0,
                ..sound()
            }
            .is_sound()
        );
        assert!(
            !Page {
                layer_count: 17,
                ..sound()
            }
            .is_sound()
        );
        // One that has no paths, and more than there is room for.
        for share_count in [1, 17] {
            let page = Page {
                share_count,
                ..sound()
            };
            assert!(!page.is_sound());
        }
    }
}
