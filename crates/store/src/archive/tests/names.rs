//! Names that are refused: of files, streams, lines and keys, and such as collide.

use super::hand_made::{Member, drive, file, folder, link, node, raw, sealed, why, with};
use super::unpack;

#[test]
fn hostile_names_are_refused() {
    for name in [
        "/etc/passwd",
        "../x",
        "layers/0/files/../../x",
        "layers/0/files/C/../../../x",
        "layers/0/files/C/a/../b",
        "layers/1/files/C",
        "layers/00/files/C/a",
        "layers/+0/files/C/a",
        "layers/0/other",
        "layers/0/files/C\\a",
        "layers/0/files/C/a:b",
        "layers/0/files/C/con",
        "layers/0/files/C/NUL.txt",
        "layers/0/files/C/a.",
        "layers/0/files/C/a ",
        "layers/0/files/C/.wh..wh.1",
        "layers/0/files/C/.wh..wh..opq",
        "layers/0/files/C/.WH.a",
        "layers/0/files/.wh..wh.base",
        "layers/0/files/x",
        "layers/0/files/C//a",
        "layers/0/files/C/./a",
        "SHA256SUMS/x",
        "layers/0/files/D/a",
        "layers/0/files/c/a",
        "layers/0/files/C/none/a",
        "\\\\?\\C:\\x",
        "C:\\x",
        "",
    ] {
        let why = why(&raw(&with(drive(vec![file(name, b"x")]), "", |_| ())));
        assert!(!why.contains("damaged"), "{name}: {why}");
    }
    let not_utf8 = Member {
        name: b"layers/0/files/C/\xff\xfe".to_vec(),
        ..file("", b"x")
    };
    assert!(why(&raw(&with(drive(vec![not_utf8]), "", |_| ()))).contains("UTF-8"));
}

#[test]
fn hostile_streams_and_lines_are_refused() {
    let a = "layers/0/files/C/a";
    let stream = |name: &str| file(&format!("layers/0/files/{name}"), b"s");
    let after = |more: Vec<Member>| {
        let mut all = drive(vec![file(a, b"x")]);
        all.extend(more);
        all
    };
    let folder = tempfile::tempdir().unwrap();
    unpack(
        &raw(&with(after(vec![stream("C/a:s")]), "", |_| ())),
        folder.path(),
        None,
    )
    .unwrap();
    for bad in [
        "C/a:",
        "C/a:b:c",
        "C/a:b/c",
        "C/a:b\\c",
        "C/A:b",
        "C:b",
        "C/b:c",
        "../x:b",
        ":b",
        "C/a::$DATA",
    ] {
        let why = why(&raw(&with(after(vec![stream(bad)]), "", |_| ())));
        assert!(why.contains("stream"), "{bad}: {why}");
    }
    let hidden = file("layers/0/files/C/.wh.b", b"");
    for more in [
        vec![stream("C/a:s"), stream("C/a:S")],
        vec![hidden, stream("C/.wh.b:s")],
        vec![link("layers/0/files/C/b", a), stream("C/b:s")],
        vec![file("layers/0/files/C/b", b""), stream("C/a:s")],
        vec![folder_of_stream()],
    ] {
        let _ = why(&raw(&with(after(more), "", |_| ())));
    }
    let first = with(after(vec![stream("C/a:s")]), "", |m| m.format = 1);
    assert!(why(&raw(&first)).contains("no streams"));
    for line in [
        "\"owner\":\"O:BAG:BA\"",
        "\"owner\":\"\"",
        "\"short\":\"../x\"",
        "\"short\":\"TOOLONGFORONE\"",
        "\"security\":\"O:BA\"",
    ] {
        let mut all = after(vec![]);
        let nodes = node("C", true) + &format!("{{\"path\":\"C/a\",{line}}}\n");
        all.push(file("layers/0/files.jsonl", nodes.as_bytes()));
        all.push(file("layers/0/keys.jsonl", b""));
        assert!(why(&raw(&sealed(all, |_| ()))).contains("'C/a'"), "{line}");
    }
}

/// A directory where a stream should be.
fn folder_of_stream() -> Member {
    folder("layers/0/files/C/a:s")
}

#[test]
fn collisions_are_refused() {
    let pairs = [
        (
            file("layers/0/files/C/a", b"1"),
            file("layers/0/files/C/a", b"1"),
        ),
        (
            file("layers/0/files/C/a", b"1"),
            file("layers/0/files/C/A", b"2"),
        ),
        (folder("layers/0/files/C/d"), folder("layers/0/files/C/D")),
        (
            folder("layers/0/files/C/d"),
            file("layers/0/files/C/D/x", b""),
        ),
        (
            file("layers/0/files/C/a", b"1"),
            file("layers/0/files/C/a/b", b"2"),
        ),
        (
            file("layers/0/files/C/\u{e4}", b"1"),
            file("layers/0/files/C/\u{c4}", b"2"),
        ),
        (
            file("layers/0/files/C/.wh.a", b""),
            file("layers/0/files/C/.wh.A", b""),
        ),
    ];
    for (first, second) in pairs {
        let name = String::from_utf8_lossy(&second.name).into_owned();
        let why = why(&raw(&with(drive(vec![first, second]), "", |_| ())));
        assert!(!why.contains("damaged"), "{name}: {why}");
    }
    assert!(
        why(&raw(&with(
            drive(vec![file("layers/0/files/C/.wh.a", b"x")]),
            "",
            |_| ()
        )))
        .contains("empty")
    );
    assert!(
        why(&raw(&with(
            drive(vec![folder("layers/0/files/C/.wh.a")]),
            "",
            |_| ()
        )))
        .contains("empty")
    );
    let drive_file = vec![file("layers/0/files/C", b"")];
    assert!(why(&raw(&with(drive_file, "", |_| ()))).contains("drive"));
}

#[test]
fn hostile_keys_are_refused() {
    for line in [
        "{}",
        "[]",
        "{\"key\":[]}",
        "{\"key\":[\"Hidden\",\"x\"]}",
        "{\"key\":[\"MACHINE\",\"x\"]}",
        "{\"key\":[\"MACHINE\"],\"surprise\":1}",
        "{\"key\":[\"MACHINE\"],\"values\":[{\"name\":\"\",\"type\":6,\"data\":\"\"}]}",
    ] {
        let why = why(&raw(&with(drive(vec![]), &format!("{line}\n"), |_| ())));
        assert!(why.contains("key"), "{line}: {why}");
    }
    assert!(
        why(&raw(&with(
            drive(vec![]),
            "{\"key\":[\"MACHINE\"]}",
            |_| ()
        )))
        .contains("no end")
    );
}
