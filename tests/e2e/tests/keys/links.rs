//! Symbolic-link keys: made inside, followed inside, never out.

use super::tree::{ALL, NOT_FOUND, OK, READ, Tree, answer};
use pinion_e2e::World;
use serde_json::json;

/// To be told apart by the tree's own key, which both sides share.
fn session(key: &str) -> Vec<Vec<String>> {
    let lines = [
        r"link|l|r:L|f003f",
        r"target|l|KEY\A",
        r"names|l",
        r"set|l|other|1",
        r"open|a|r:L|20019",
        r"names|a",
        r"get|a|v",
        r"open|a1|r:L\A1|20019",
        r"names|a1",
        r"create|n|r:L\New|f003f",
        r"names|n",
        r"open|w|r:l|f003f",
        r"names|w",
        r"set|w|v|through",
        r"open|a|r:A|20019",
        r"get|a|v",
        r"list|a",
        r"list|r",
        r"figures|r",
        r"link|l2|r:L|f003f",
        r"link|l2|r:A|f003f",
        r"open-link|i|r:L|20019",
        r"names|i",
        r"values|i",
        r"list|i",
        r"link|d|r:Dangling|f003f",
        r"target|d|KEY\Missing",
        r"open|x|r:Dangling|20019",
        r"create|m|r:Dangling|f003f",
        r"names|m",
        r"list|r",
        r"open|x|r:Dangling|20019",
        r"names|x",
        r"link|e|r:Empty|f003f",
        r"open|x|r:Empty|20019",
        r"link|two|r:Two|f003f",
        r"target|two|KEY\L\A1",
        r"open|x|r:Two|20019",
        r"names|x",
        r"get|x|w",
        r"rename|l|Moved",
        r"open|x|r:L|20019",
        r"open|x|r:Moved|20019",
        r"names|x",
        r"delete|l",
        r"open|x|r:Moved|20019",
        r"create|x|r:Moved|f003f",
        r"names|x",
        r"set|x|other|1",
        r"open|a|r:A|20019",
        r"get|a|v",
        r"list|r",
    ];
    let of = |line: &str| {
        let words = line.split('|');
        words.map(|word| word.replace("KEY", key)).collect()
    };
    lines.iter().map(|line| of(line)).collect()
}

#[test]
fn links_look_as_outside() {
    let world = World::new();
    let tree = Tree::new("links");
    let session = session(&tree.key);
    let session: Vec<Vec<&str>> = session
        .iter()
        .map(|words| words.iter().map(String::as_str).collect())
        .collect();
    let session: Vec<&[&str]> = session.iter().map(Vec::as_slice).collect();
    let told = tree.compare(&world, &session);
    assert_eq!(answer(&told, session[6])["value"], "old");
    assert_eq!(told[16]["value"], "through", "{:?}", told[16]);
}

#[test]
fn a_link_of_the_vm_does_not_lead_out() {
    let world = World::new();
    let tree = Tree::new("no-way-out");
    let store = r"%USER%\Software\Pinion\Layers";
    let session: &[&[&str]] = &[
        &["link", "l", "r:L", ALL],
        &["target", "l", store],
        &["open", "x", "r:L", READ],
        &["create", "x", r"r:L\New", ALL],
        &["target", "l", r"%USER%\Software\e2e-keys-no-way-out\L"],
        &["open", "x", "r:L", READ],
        &["target", "l", r"\BaseNamedObjects"],
        &["open", "x", "r:L", READ],
    ];
    let told = tree.inside(&world, session);
    assert_eq!(told[6]["status"], "0xc0000106", "{:?}", told[6]);
    for at in [2, 3, 7] {
        assert_eq!(told[at + 1]["status"], NOT_FOUND, "{:?}", told[at + 1]);
    }
    let host = tree.outside(&[&["open", "x", "r:L", READ]]);
    assert_eq!(host[1]["status"], NOT_FOUND);
}

#[test]
fn a_link_of_the_host_is_copied_as_a_link() {
    let world = World::new();
    let tree = Tree::new("host-link");
    let target = format!(r"{}\B", tree.key);
    let made = tree.outside(&[
        &["link", "l", "r:L", ALL],
        &["target", "l", &format!(r"{}\A", tree.key)],
    ]);
    assert_eq!(made[2]["status"], OK);
    let session: &[&[&str]] = &[
        &["open", "a", "r:L", READ],
        &["get", "a", "v"],
        &["open-link", "l", "r:L", ALL],
        &["target", "l", &target],
        &["open", "b", "r:L", READ],
        &["names", "b"],
        &["values", "b"],
        &["delete", "l"],
        &["open", "b", "r:L", READ],
    ];
    let told = tree.inside(&world, session);
    assert_eq!(told[2]["value"], "old");
    assert_eq!(told[7]["value"], json!(["bv"]), "{told:#?}");
    assert_eq!(told[9]["status"], NOT_FOUND);
    let host = tree.outside(&[
        &["open", "a", "r:L", READ],
        &["get", "a", "v"],
        &["open-link", "l", "r:L", ALL],
        &["delete", "l"],
    ]);
    assert_eq!(host[2]["value"], "old");
    assert_eq!(host[4]["status"], OK);
}
