//! A small disk that can be full: a tmpfs in a mount namespace that a sleeping
//! process keeps, so that nothing is left mounted however a test ends. Wine's
//! server opens the files, so one of its own runs in that namespace, for a
//! prefix of its own that borrows drive C.
//!
//! Mounting needs what running Wine 10 needs: root, or namespaces of one's own.

use pinion_harness::Wine;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PAGE: u64 = 4096;
const SIZE: u64 = 64 * PAGE;
const FILES: u64 = 64;

const HOLD: &str = r#"
become='unshare --mount'
[ "$(id -u)" -eq 0 ] || become='unshare --map-current-user --keep-caps --mount'
exec $become /bin/sh -c 'mount -t tmpfs -o "$1" tiny "$2" && echo mounted && exec sleep infinity' hold "$1" "$2"
"#;

const RUN: &str = r#"#!/bin/sh
enter='nsenter --mount'
[ "$(id -u)" -eq 0 ] || enter='nsenter --user --preserve-credentials --mount'
exec $enter --target HOLDER /bin/sh -c 'cd "$1" && shift && exec "$@"' enter "$PWD" 'RUNNER' "$@"
"#;

/// The disk, and a way to run Wine where it is seen.
pub struct TinyDisk {
    holder: Child,
    mount: PathBuf,
    runner: PathBuf,
    prefix: PathBuf,
    which: String,
}

impl TinyDisk {
    /// An empty disk mounted in `folder`.
    pub(crate) fn new(folder: &Path, wine: &Wine) -> Self {
        let mount = folder.join("disk");
        fs::create_dir(&mount).expect("a folder");
        let holder = hold(&mount);
        let runner = folder.join("run");
        let script = RUN
            .replace("HOLDER", &holder.id().to_string())
            .replace("RUNNER", &wine.runner().display().to_string());
        fs::write(&runner, script).expect("a script");
        fs::set_permissions(&runner, fs::Permissions::from_mode(0o755)).expect("its mode");
        Self {
            holder,
            mount,
            runner,
            prefix: borrow(wine.prefix(), folder.join("prefix")),
            which: wine.which().into(),
        }
    }

    /// Where programs on this disk's Wine see it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Where the test itself sees it.
    #[must_use]
    pub fn from_here(&self) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(self.mount.strip_prefix("/").expect("an absolute path"))
    }

    /// Makes the folder `path` of the disk, as its Wine sees it, one that cannot be written to, or lets it be
    /// written to again. Wine's server ends first: one that has a namespace of its own, as that of Wine 10,
    /// sees no later mount.
    ///
    /// # Panics
    /// When it cannot be mounted.
    pub fn lock(&self, path: &Path, locked: bool) {
        for how in ["-k", "-w"] {
            self.server(how);
        }
        let mount = match locked {
            true => r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0""#,
            false => r#"umount -l "$0""#,
        };
        let mut enter = Command::new("nsenter");
        enter.args(["--mount", "--target", &self.holder.id().to_string()]);
        let done = enter.args(["/bin/sh", "-c", mount]).arg(path).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "{}",
            path.display()
        );
    }

    fn server(&self, how: &str) {
        let _ = Command::new(&self.runner)
            .arg(&self.which)
            .arg(&self.prefix)
            .args(["--wineserver", how])
            .status();
    }

    pub(crate) fn runner(&self) -> &Path {
        &self.runner
    }

    pub(crate) fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// Leaves room for `pages` of data.
    ///
    /// # Panics
    /// When the disk is not there.
    pub fn leave_pages(&self, pages: u64) {
        let path = self.from_here().join("fill");
        let mut file = File::create(&path).expect("room for a file");
        while file.write_all(&[1; PAGE as usize]).is_ok() {}
        let full = file.metadata().expect("a length").len();
        file.set_len(full - pages * PAGE).expect("a shorter file");
    }

    /// Leaves room for `count` files and folders.
    ///
    /// # Panics
    /// When the disk is not there.
    pub fn leave_files(&self, count: u64) {
        let path = |at: u64| self.from_here().join(format!("fill-{at}"));
        let made = (0..=FILES)
            .take_while(|at| File::create(path(*at)).is_ok())
            .count() as u64;
        assert!(count <= made && made < FILES, "{made} files fit");
        for at in 0..count {
            fs::remove_file(path(at)).expect("removed");
        }
    }

    /// Gives all the room back that was taken.
    ///
    /// # Panics
    /// When the disk is not there.
    pub fn empty(&self) {
        for entry in fs::read_dir(self.from_here()).expect("the disk").flatten() {
            if entry.file_name().to_string_lossy().starts_with("fill") {
                fs::remove_file(entry.path()).expect("removed");
            }
        }
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        self.server("-k");
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Mounts the disk in a namespace that lives as long as the process.
fn hold(mount: &Path) -> Child {
    let mut holder = Command::new("/bin/sh")
        .args(["-c", HOLD, "hold"])
        .arg(format!("size={SIZE},nr_inodes={FILES}"))
        .arg(mount)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    let stdout = holder.stdout.take().expect("a pipe");
    let _ = BufReader::new(stdout).read_line(&mut line);
    assert_eq!(
        line, "mounted\n",
        "this machine does not let this user mount a disk of its own, which this test needs as Wine 10 does"
    );
    holder
}

/// A prefix with the registry of `from` and its drive C.
fn borrow(from: &Path, prefix: PathBuf) -> PathBuf {
    fs::create_dir_all(prefix.join("dosdevices")).expect("a folder");
    fs::create_dir(prefix.join("home")).expect("a folder");
    for file in ["system.reg", "user.reg", "userdef.reg", ".update-timestamp"] {
        fs::copy(from.join(file), prefix.join(file)).expect("a copy");
    }
    let drive = from.join("drive_c");
    for (target, link) in [
        (drive.as_path(), "drive_c"),
        (&drive, "dosdevices/c:"),
        (Path::new("/"), "dosdevices/z:"),
    ] {
        symlink(target, prefix.join(link)).expect("a link");
    }
    prefix
}
