//! Judges logs recorded from Wine 8 and Wine 10 (shortened, paths made neutral), and small ones written by hand: the mechanism
//! of the audit must find what it is there to find.
//!
//! In the recorded logs a supervisor makes the directory of machine `a`, runs `sup.exe` (which runs itself once more) in
//! its job, where it makes and opens every kind of thing outside, then `host.exe` through a job list, then the same
//! `host.exe` outside; the latter two touch `inside` in the machine's directory by a path below BaseNamedObjects.

use pinion_audit::judge::{Judge, Leak};
use pinion_audit::pass::PassList;
use pinion_audit::vms::Vm;
use proptest::prelude::*;
use std::collections::BTreeSet;

const WINE8: &str = include_str!("data/wine8.log");
const WINE10: &str = include_str!("data/wine10.log");
const DIRECTORY: &str = r"\Sessions\1\BaseNamedObjects\Pinion-0123456789abcdef";

fn vms() -> Vec<Vm> {
    let mut vms: Vec<Vm> =
        serde_json::from_str(include_str!("data/vms.json")).expect("the list of machines");
    let mut other = vms[0].clone();
    other.name = "b".into();
    other.object_directory = r"\Sessions\1\BaseNamedObjects\Pinion-b".into();
    other.pipe_prefix = r"pinion-b\".into();
    other.files_upper = r"C:\pinion\b\files".into();
    other.registry_upper = r"\REGISTRY\User\S-1-5-21-0-0-0-1000\Software\Pinion\b".into();
    other.address = Some("127.1.2.4".into());
    vms.push(other);
    vms
}

/// The leaks in a log, but for the complaint that machine `b` never appears.
fn leaks(log: &str) -> Vec<Leak> {
    let (vms, pass) = (vms(), PassList::default());
    let mut judge = Judge::new(&vms, &pass);
    judge.log("s", log.as_bytes()).expect("a log in memory");
    judge.finish();
    judge
        .leaks
        .into_keys()
        .filter(|leak| !(leak.kind == "vm" && leak.vm == "b"))
        .collect()
}

/// `(program, kind, access, name)` of each leak.
fn short(log: &str) -> BTreeSet<(String, String, String, String)> {
    leaks(log)
        .into_iter()
        .map(|leak| (leak.process, leak.kind, leak.access, leak.name))
        .collect()
}

fn has(
    found: &BTreeSet<(String, String, String, String)>,
    program: &str,
    kind: &str,
    access: &str,
    name: &str,
) -> bool {
    found.contains(&(program.into(), kind.into(), access.into(), name.into()))
}

/// A supervisor with machine `a`, a member (process 0030, thread 0034) and a process of the host (0060, thread 0064).
fn cast(lines: &str) -> String {
    format!(
        r#"0024: init_first_thread() = 0 {{ pid=0020, tid=0024, server_start=1 (-0.4) }}
0064: init_first_thread() = 0 {{ pid=0060, tid=0064, server_start=1 (-0.4) }}
0024: create_directory( access=000f000f, objattr={{rootdir=0000,attributes=00000002,sd={{}},name=L"\\Sessions\\1\\BaseNamedObjects\\Pinion-0123456789abcdef"}} )
0024: create_directory() = 0 {{ handle=0058 }}
0024: create_job( access=001f003f, objattr={{}} )
0024: create_job() = 0 {{ handle=0060 }}
0024: new_process( parent_process=0000, flags=00000004, handles={{}}, jobs={{00000060}}, info={{imagepath=L"C:\\member.exe"}} )
0024: new_process() = 0 {{ info=0068, pid=0030, handle=006c }}
0024: new_thread( process=006c, request_fd=-1, objattr={{}} )
0024: new_thread() = 0 {{ tid=0034, handle=0070 }}
{lines}
"#
    )
}

fn mutex(tid: &str, root: &str, name: &str) -> String {
    format!(
        "{tid}: create_mutex( access=001f0001, owned=0, objattr={{rootdir={root},attributes=00000000,sd={{}},name=L\"{}\"}} )\n{tid}: create_mutex() = 0 {{ handle=00a0 }}\n",
        name.replace('\\', r"\\")
    )
}

#[test]
fn everything_that_leaves_the_machine_is_found() {
    for log in [WINE8, WINE10] {
        let found = short(log);
        for (kind, access, name) in [
            ("mutex", "create", r"\Sessions\1\BaseNamedObjects\leaky"),
            ("mutex", "open", r"\Sessions\1\BaseNamedObjects\leaky"),
            ("mutex", "create", r"\BaseNamedObjects\leakyg"),
            ("mutex", "create", r"\BaseNamedObjects\abs"),
            ("event", "create", r"\Sessions\1\BaseNamedObjects\levent"),
            ("semaphore", "create", r"\Sessions\1\BaseNamedObjects\lsem"),
            ("timer", "create", r"\Sessions\1\BaseNamedObjects\ltimer"),
            ("section", "create", r"\Sessions\1\BaseNamedObjects\lmap"),
            ("job", "create", r"\Sessions\1\BaseNamedObjects\ljob"),
            ("pipe", "create", r"\Device\NamedPipe\lpipe"),
            ("pipe", "open", r"\Device\NamedPipe\lpipe"),
            ("mailslot", "create", r"\Device\MailSlot\lslot"),
            ("mailslot", "open", r"\Device\MailSlot\lslot"),
            ("port", "create", "127.0.0.1:18080"),
            ("file", "create", r"\??\C:\lfile.txt"),
            ("file", "write", r"\??\C:\lfile2.txt"),
            ("file", "delete", r"\??\C:\lfile3.txt"),
            ("file", "create", r"\??\C:\ldir"),
            ("key", "open", r"\Registry\Machine\Software\Microsoft"),
            (
                "key",
                "create",
                r"\Registry\User\S-1-5-21-0-0-0-1000\Software\LTest\Sub",
            ),
            (
                "key",
                "write",
                r"\Registry\User\S-1-5-21-0-0-0-1000\Software\LTest\Sub",
            ),
            (
                "key",
                "delete",
                r"\Registry\User\S-1-5-21-0-0-0-1000\Software\LTest",
            ),
            (
                "winstation",
                "create",
                r"\Sessions\1\Windows\WindowStations\lwinsta",
            ),
            ("atom", "create", "latom"),
            ("directory", "open", r"\Sessions\1\BaseNamedObjects"),
        ] {
            assert!(
                has(&found, "sup.exe", kind, access, name),
                "{kind} {access} {name} in {found:#?}"
            );
        }
    }
}

#[test]
fn what_stays_inside_or_is_only_read_is_no_leak() {
    for log in [WINE8, WINE10] {
        let found = leaks(log);
        let inside = format!(r"{DIRECTORY}\inside");
        assert!(
            found
                .iter()
                .all(|leak| leak.name != inside || leak.why.contains("host")),
            "{found:#?}"
        );
        assert!(
            found.iter().all(|leak| !leak.name.ends_with("win.ini")),
            "{found:#?}"
        );
        assert!(
            found
                .iter()
                .all(|leak| leak.kind != "log" && leak.kind != "vm"),
            "{found:#?}"
        );
    }
}

/// Nobody has an object of that name: only so did the member not get it.
#[test]
fn a_name_looked_for_outside_in_vain_is_a_leak() {
    for log in [WINE8, WINE10] {
        let found = leaks(log);
        assert!(
            found.iter().any(|leak| leak.name.ends_with("lnot")),
            "{found:#?}"
        );
    }
}

/// A member may connect to its own machine only, and to nothing else on this one; the host's clients may connect to any.
#[test]
fn connections_stay_within_a_machine() {
    let connect = |tid: &str, address: &str| {
        format!(
            "{tid}: ioctl( code=0012032c, async={{handle=0078}}, in_data={{10,00,00,00,00,00,00,00,02,00,1f,90,{address}}} )\n\
             {tid}: ioctl() = CONNECTION_REFUSED {{ wait=0000, options=00000000, out_data={{}} }}"
        )
    };
    let found = |tid: &str, address: &str| leaks(&cast(&connect(tid, address)));
    let own = "7f,01,02,03";
    assert_eq!(found("0034", own), []);
    assert_eq!(found("0034", "0a,00,00,01"), []);
    assert_eq!(found("0064", own), []);
    let host = found("0034", "7f,00,00,01");
    assert_eq!(
        (host.len(), host[0].kind.as_str(), host[0].name.as_str()),
        (1, "connection", "127.0.0.1:8080")
    );
    let other = found("0034", "7f,01,02,04");
    assert!(other[0].why.contains("another VM"), "{other:#?}");
}

#[test]
fn the_host_reaching_in_is_found() {
    for log in [WINE8, WINE10] {
        let inside = format!(r"{DIRECTORY}\inside");
        let found: Vec<Leak> = leaks(log)
            .into_iter()
            .filter(|leak| leak.name == inside)
            .collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(
            (found[0].process.as_str(), found[0].vm.as_str()),
            ("host.exe", "a")
        );
    }
}

#[test]
fn a_relative_name_is_resolved_through_inheritance_and_duplication() {
    let inherited = cast(&mutex("0034", "0058", "x"));
    assert_eq!(leaks(&inherited), []);
    let given = cast(&format!(
        "0024: dup_handle( src_process=ffffffff, src_handle=0058, dst_process=006c, access=00000000, attributes=00000000, options=00000002 )\n0024: dup_handle() = 0 {{ handle=0010 }}\n{}",
        mutex("0034", "0010", "x")
    ));
    assert_eq!(leaks(&given), []);
    let closed = cast(&format!(
        "0034: close_handle( handle=0058 )\n0034: close_handle() = 0\n{}",
        mutex("0034", "0058", "x")
    ));
    assert!(has(
        &short(&closed),
        "member.exe",
        "mutex",
        "create",
        r"?0058\x"
    ));
}

#[test]
fn a_child_of_a_member_is_a_member() {
    let child = r#"0034: new_process( parent_process=0000, flags=00000001, handles={}, jobs={}, info={imagepath=L"C:\\child.exe"} )
0034: new_process() = 0 { info=0068, pid=0040, handle=006c }
0034: new_thread( process=006c, request_fd=-1, objattr={} )
0034: new_thread() = 0 { tid=0044, handle=0070 }
"#;
    let found = short(&cast(&format!(
        "{child}{}",
        mutex("0044", "0000", r"\BaseNamedObjects\x")
    )));
    assert!(
        has(
            &found,
            "child.exe",
            "mutex",
            "create",
            r"\BaseNamedObjects\x"
        ),
        "{found:#?}"
    );
}

#[test]
fn a_link_inside_that_leads_out_hides_nothing() {
    let link = r#"0034: create_symlink( access=000f0001, objattr={rootdir=0058,attributes=00000000,sd={},name=L"out"}, target_name=L"\\BaseNamedObjects" )
0034: create_symlink() = 0 { handle=0080 }
"#;
    let found = short(&cast(&format!("{link}{}", mutex("0034", "0058", r"out\x"))));
    assert!(
        has(
            &found,
            "member.exe",
            "mutex",
            "create",
            r"\BaseNamedObjects\x"
        ),
        "{found:#?}"
    );
    let key = r#"0034: create_key( access=000f003f, options=00000002, objattr={rootdir=0000,attributes=00000040,sd={},name=L"\\Registry\\User\\S-1-5-21-0-0-0-1000\\Software\\Pinion\\a\\l"}, class=L"" )
0034: create_key() = 0 { hkey=0080 }
"#;
    assert_eq!(
        leaks(&cast(key)).first().map(|leak| leak.kind.as_str()),
        Some("key-link")
    );
}

#[test]
fn another_machines_places_are_closed_even_to_reading() {
    let key = r#"0034: open_key( parent=0000, access=00020019, attributes=00000040, name=L"\\Registry\\User\\S-1-5-21-0-0-0-1000\\Software\\Pinion\\b\\x" )
0034: open_key() = 0 { hkey=0080 }
"#;
    let file = r#"0034: create_file( access=80100080, sharing=00000003, create=1, options=00000060, attrs=00000000, objattr={rootdir=0000,attributes=00000040,sd={},name=L"\\??\\c:\\Pinion\\b\\files\\x"}, filename="/home/user/prefix/dosdevices/c:/pinion/b/files/x" )
0034: create_file() = 0 { handle=0080 }
"#;
    for line in [
        key.to_string(),
        file.to_string(),
        mutex("0034", "0000", r"\Sessions\1\BaseNamedObjects\Pinion-b\x"),
    ] {
        let found = leaks(&cast(&line));
        assert_eq!(
            found
                .iter()
                .map(|leak| leak.vm.as_str())
                .collect::<Vec<_>>(),
            ["b"],
            "{found:#?}"
        );
    }
}

#[test]
fn its_supervisor_may_enter_but_no_one_else() {
    assert_eq!(leaks(&cast(&mutex("0024", "0058", "x"))), []);
    let found = leaks(&cast(&mutex("0064", "0000", &format!(r"{DIRECTORY}\x"))));
    assert_eq!(
        found
            .iter()
            .map(|leak| leak.why.as_str())
            .collect::<Vec<_>>(),
        ["a process of the host reached into this VM"]
    );
}

#[test]
fn own_ports_pipes_files_and_keys_are_own() {
    let lines = r#"0034: ioctl( code=00012003, async={handle=00a4}, in_data={00,00,00,00,02,00,1f,90,7f,01,02,03,00,00,00,00,00,00,00,00} )
0034: ioctl() = 0 { wait=00ac, options=00000000, out_data={02,00,1f,90,7f,01,02,03,00,00,00,00,00,00,00,00} }
0034: create_named_pipe( access=c0100000, objattr={rootdir=0000,attributes=00000040,sd={},name=L"\\??\\pipe\\pinion-0123456789abcdef\\svcctl"} )
0034: create_named_pipe() = 0 { handle=0090 }
0034: create_file( access=40100080, sharing=00000003, create=5, options=00000060, attrs=00000000, objattr={rootdir=0000,attributes=00000040,sd={},name=L"\\??\\C:\\pinion\\a\\files\\x"}, filename="/home/user/prefix/dosdevices/c:/pinion/a/files/x" )
0034: create_file() = 0 { handle=0094 }
0034: create_key( access=000f003f, options=00000000, objattr={rootdir=0000,attributes=00000040,sd={},name=L"\\Registry\\User\\S-1-5-21-0-0-0-1000\\Software\\Pinion\\a\\x"}, class=L"" )
0034: create_key() = 0 { hkey=0080 }
"#;
    assert_eq!(leaks(&cast(lines)), []);
}

#[test]
fn a_witness_who_saw_nothing_or_is_damaged_fails_the_audit() {
    assert!(leaks("").iter().any(|leak| leak.kind == "log"));
    assert!(
        leaks("")
            .iter()
            .any(|leak| leak.kind == "vm" && leak.vm == "a")
    );
    let damaged = cast("0034: create_mutex( access=\n0034: create_mu\n");
    assert!(
        leaks(&damaged)
            .iter()
            .any(|leak| leak.why.contains("cannot be read"))
    );
    let stranger = cast(&mutex("0999", "0000", r"\x"));
    assert!(
        leaks(&stranger)
            .iter()
            .any(|leak| leak.why.contains("does not tell"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn logs_cut_and_garbled_anywhere_never_panic(from in 0usize..30_000, length in 0usize..4_000, at in 0usize..4_000, noise: Vec<u8>) {
        let log = WINE8.as_bytes();
        let from = from.min(log.len());
        let mut piece = log[from..(from + length).min(log.len())].to_vec();
        let at = at.min(piece.len());
        piece.splice(at..at, noise);
        let (vms, pass) = (vms(), PassList::default());
        let mut judge = Judge::new(&vms, &pass);
        judge.log("s", piece.as_slice()).expect("a log in memory");
        judge.finish();
    }
}
