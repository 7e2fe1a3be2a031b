//! A tree of keys on the host, and what `keys.exe` says of it inside and
//! outside.

use pinion_e2e::{Host, Output, World};
use serde_json::{Value, json};

pub const READ: &str = "20019";
pub const ALL: &str = "f003f";
pub const OK: &str = "0x00000000";
pub const NO_MORE: &str = "0x8000001a";
pub const NOT_FOUND: &str = "0xc0000034";
pub const DENIED: &str = "0xc0000022";
pub const PENDING: &str = "0x00000103";

/// A tree of keys on the host, below the user's `Software`: `A` with values and
/// `A\A1`, `B`, `C\C1\C2`, `_d`. Removed at the end.
pub struct Tree {
    pub host: Host,
    pub key: String,
}

impl Tree {
    pub fn new(name: &str) -> Self {
        let tree = Self {
            host: Host::from_env(),
            key: format!(r"%USER%\Software\e2e-keys-{name}"),
        };
        tree.remove();
        let made = tree.on_host(&[
            &["create", "r", &tree.key, ALL],
            &["set", "r", "top", "1"],
            &["create", "a", "r:A", ALL],
            &["set", "a", "v", "old"],
            &["set", "a", "u", "keep"],
            &["create", "a1", "a:A1", ALL],
            &["set", "a1", "w", "deep"],
            &["create", "b", "r:B", ALL],
            &["set", "b", "bv", "2"],
            &["create", "c", "r:C", ALL],
            &["create", "c1", "c:C1", ALL],
            &["create", "c2", "c1:C2", ALL],
            &["set", "c2", "x", "y"],
            &["create", "d", "r:_d", ALL],
        ]);
        assert!(made.iter().all(|one| one["status"] == OK), "{made:#?}");
        tree
    }

    /// Takes the tree away. Whatever a test forbade of `B` is allowed again first:
    /// a tree that cannot be removed stays for the next run on the same server.
    fn remove(&self) {
        let shut = format!(r"{}\B", self.key);
        let open = "D:(A;;0xf003f;;;WD)";
        let _ = self.on_host(&[&["open", "b", &shut, "40000"], &["protect", "b", open]]);
        let _ = self.on_host(&[&["remove", &self.key]]);
    }

    /// Opens `r`, the tree's root, as the first of `operations`.
    pub fn words(&self, operations: &[&[&str]]) -> Vec<String> {
        words(&[&[&["open", "r", &self.key, READ][..]], operations].concat())
    }

    pub fn on_host(&self, operations: &[&[&str]]) -> Vec<Value> {
        answers(&self.host.program("keys").args(words(operations)).run())
    }

    pub fn outside(&self, operations: &[&[&str]]) -> Vec<Value> {
        answers(&self.host.program("keys").args(self.words(operations)).run())
    }

    /// In a VM of its own.
    pub fn inside(&self, world: &World, operations: &[&[&str]]) -> Vec<Value> {
        let words = self.words(operations);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        answers(&world.run("keys", &words))
    }

    /// In the VM `vm`, which runs.
    pub fn within(&self, world: &World, vm: &str, operations: &[&[&str]]) -> Vec<Value> {
        let words = self.words(operations);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        answers(&world.exec(vm, "keys", &words))
    }

    /// Sees to it that the session looks the same inside, in a VM of its own,
    /// and leaves the host alone; then does it outside.
    pub fn compare(&self, world: &World, session: &[&[&str]]) -> Vec<Value> {
        let before = self.seen();
        let inside = self.inside(world, session);
        assert_eq!(self.seen(), before, "the host has changed");
        let outside = self.outside(session);
        for (inside, outside) in inside.iter().zip(&outside) {
            assert_eq!(inside, outside, "inside, outside");
        }
        assert_eq!(inside.len(), outside.len());
        inside
    }

    /// All that the host has there.
    pub fn seen(&self) -> Vec<Value> {
        self.outside(&[
            &["list", "r"],
            &["values", "r"],
            &["open", "a", "r:A", READ],
            &["list", "a"],
            &["values", "a"],
            &["get", "a", "v"],
            &["open", "b", "r:B", READ],
            &["values", "b"],
            &["open", "c1", r"r:C\C1", READ],
            &["list", "c1"],
        ])
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.remove();
    }
}

fn words(operations: &[&[&str]]) -> Vec<String> {
    let joined = operations.join(&";");
    joined.into_iter().map(str::to_owned).collect()
}

pub fn answers(output: &Output) -> Vec<Value> {
    assert_eq!(output.code, 0, "{output:#?}");
    output.json().as_array().expect("a list").clone()
}

/// The answer of the operation that these words are.
pub fn answer<'a>(answers: &'a [Value], operation: &[&str]) -> &'a Value {
    let of = answers
        .iter()
        .find(|one| one["operation"] == json!(operation));
    of.unwrap_or_else(|| panic!("no {operation:?}: {answers:#?}"))
}
