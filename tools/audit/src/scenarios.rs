//! Owns what is run for the audit: the scenarios and their steps. How a step is carried out is for `run`.
//!
//! In arguments `{bin}` is the folder of Pinion and the test programs, as a Windows path.

/// One step of a scenario.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// `pinion` with these arguments must succeed.
    Pinion(&'static [&'static str]),
    /// A program of the host, outside any machine, must start; its exit code does not matter.
    Host(&'static [&'static str]),
    /// Ask `pinion inspect` where the running machine keeps its things, for the judge.
    Inspect(&'static str),
    /// Lay nginx, with a configuration that says on which port to listen, into `C:\audit-nginx`.
    LayNginx,
    /// Get a page from that port of an inspected machine, from outside Wine.
    Page(&'static str),
}

/// One log's worth of running.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name in the report; also the log's file name.
    pub name: &'static str,
    /// What it does, in order.
    pub steps: &'static [Step],
}

use Step::{Host, Inspect, LayNginx, Page, Pinion};

/// All scenarios, in the order in which they run. Each gets a server and a log of its own.
pub const ALL: [Scenario; 8] = [
    NAMES, CHILDREN, PROCESSES, LAYERS, KEYS, WINDOWS, RPCSS, NGINX,
];

/// Two machines and the host make objects of the same names, of every kind, at the same time.
const NAMES: Scenario = Scenario {
    name: "names",
    steps: &[
        Pinion(&[
            "run",
            "-d",
            "--name",
            "a",
            r"{bin}\names.exe",
            "create",
            "mutant:same",
            "event:e",
            "semaphore:s",
            "timer:t",
            "section:m",
            "pipe:p",
            "mailslot:l",
            "job:j",
            r"mutant:Global\g",
            "--hold",
            "60",
        ]),
        Pinion(&[
            "run",
            "-d",
            "--name",
            "b",
            r"{bin}\names.exe",
            "create",
            "mutant:same",
            "event:e",
            "semaphore:s",
            "timer:t",
            "section:m",
            "pipe:p",
            "mailslot:l",
            "job:j",
            r"mutant:Global\g",
            "--hold",
            "60",
        ]),
        Inspect("a"),
        Inspect("b"),
        Host(&[
            r"{bin}\names.exe",
            "create",
            "mutant:same",
            "event:e",
            "semaphore:s",
            "timer:t",
            "section:m",
            "pipe:p",
            "mailslot:l",
        ]),
        Pinion(&["exec", "a", r"{bin}\names.exe", "forms"]),
        Pinion(&["rm", "-f", "a", "b"]),
    ],
};

/// Children started in every way that Windows has.
const CHILDREN: Scenario = Scenario {
    name: "children",
    steps: &[
        Pinion(&[
            "run",
            "-d",
            "--name",
            "c",
            r"{bin}\child.exe",
            "sleep",
            "60",
        ]),
        Inspect("c"),
        Pinion(&["exec", "c", r"{bin}\child.exe", "all"]),
        Pinion(&["exec", "c", r"{bin}\child.exe", "tree", "3"]),
        Pinion(&["rm", "-f", "c"]),
    ],
};

/// All that a process can do to its own children, every list of processes, and every id up to 65536 tried, while another machine
/// and the host have processes, too.
const PROCESSES: Scenario = Scenario {
    name: "processes",
    steps: &[
        Pinion(&[
            "run",
            "-d",
            "--name",
            "p",
            r"{bin}\child.exe",
            "sleep",
            "60",
        ]),
        Pinion(&[
            "run",
            "-d",
            "--name",
            "q",
            r"{bin}\child.exe",
            "sleep",
            "60",
        ]),
        Inspect("p"),
        Inspect("q"),
        Pinion(&["exec", "p", r"{bin}\processes.exe", "all"]),
        Pinion(&["exec", "p", r"{bin}\processes.exe", "list"]),
        Pinion(&["exec", "p", r"{bin}\processes.exe", "guess"]),
        Pinion(&["rm", "-f", "p", "q"]),
    ],
};

/// Files and keys of the host changed in every simple way, and sockets of every kind, in one machine.
const LAYERS: Scenario = Scenario {
    name: "layers",
    steps: &[
        Pinion(&[
            "run",
            "-d",
            "--name",
            "l",
            r"{bin}\child.exe",
            "sleep",
            "60",
        ]),
        Inspect("l"),
        Pinion(&[
            "exec",
            "l",
            r"{bin}\files_keys.exe",
            "file-write",
            r"C:\audit\new.txt",
            "no such folder",
            ";",
            "folder-make",
            r"C:\audit",
            ";",
            "file-write",
            r"C:\audit\new.txt",
            "text",
            ";",
            "file-append",
            r"C:\windows\win.ini",
            "more",
            ";",
            "file-copy",
            r"C:\windows\win.ini",
            r"C:\windows\audit.ini",
            ";",
            "file-rename",
            r"C:\windows\audit.ini",
            r"C:\audit\moved.ini",
            ";",
            "file-rename",
            r"C:\windows\hh.exe",
            r"C:\windows\audit.exe",
            ";",
            "file-delete",
            r"C:\windows\win.ini",
            ";",
            "file-stat",
            r"C:\windows\win.ini",
            ";",
            "folder-list",
            r"C:\windows",
            ";",
            "folder-delete",
            r"C:\audit",
        ]),
        Pinion(&[
            "exec",
            "l",
            r"{bin}\files_keys.exe",
            "key-create",
            r"HKLM\Software\Audit",
            ";",
            "key-set",
            r"HKLM\Software\Microsoft\Windows NT\CurrentVersion",
            "Audit",
            "v",
            ";",
            "key-set",
            r"HKCU\Software\Wine",
            "Audit",
            "v",
            ";",
            "key-unset",
            r"HKCU\Environment",
            "TEMP",
            ";",
            "key-delete",
            r"HKCU\Environment",
            ";",
            "key-create",
            r"HKCR\.audit",
            ";",
            "key-list",
            r"HKLM\Software",
            ";",
            "key-delete",
            r"HKLM\Software\Audit",
        ]),
        Pinion(&["exec", "l", r"{bin}\sockets.exe", "check"]),
        Pinion(&["exec", "l", r"{bin}\sockets.exe", "hostile"]),
        Pinion(&["exec", "l", r"{bin}\sockets.exe", "late"]),
        Pinion(&["rm", "-f", "l"]),
    ],
};

/// Keys of the host by their absolute names, with all rights, through each call that opens one: a call that is let pass asks the
/// kernel for rights over the host's own key, which nothing that is intercepted does.
const KEYS: Scenario = Scenario {
    name: "keys",
    steps: &[
        Pinion(&[
            "run",
            "-d",
            "--name",
            "k",
            r"{bin}\child.exe",
            "sleep",
            "60",
        ]),
        Inspect("k"),
        Pinion(&[
            "exec",
            "k",
            r"{bin}\keys.exe",
            "open",
            "a",
            r"\Registry\Machine\Software\Microsoft\Windows NT",
            "f003f",
            ";",
            "set",
            "a",
            "audit",
            "1",
            ";",
            "open-ex",
            "b",
            r"\Registry\Machine\Software\Microsoft\Windows",
            "f003f",
            ";",
            "set",
            "b",
            "audit",
            "1",
            ";",
            "open-ex",
            "c",
            r"%USER%\Software",
            "f003f",
            ";",
            "open-ex",
            "d",
            "c:Wine",
            "20006",
            ";",
            "create",
            "e",
            r"%USER%\Environment",
            "f003f",
            ";",
            "create",
            "f",
            r"\Registry\Machine\Software\Audit",
            "f003f",
            ";",
            "open-ex",
            "g",
            r"\Registry\Machine\Software\Audit",
            "10000",
            ";",
            "delete",
            "g",
        ]),
        Pinion(&["rm", "-f", "k"]),
    ],
};

/// Two machines have windows, desktops and a clipboard.
const WINDOWS: Scenario = Scenario {
    name: "windows",
    steps: &[
        Pinion(&[
            "run",
            "-d",
            "--name",
            "v",
            r"{bin}\windows.exe",
            "serve",
            "c",
            "t",
        ]),
        Pinion(&[
            "run",
            "-d",
            "--name",
            "w",
            r"{bin}\windows.exe",
            "serve",
            "c",
            "t",
        ]),
        Inspect("v"),
        Inspect("w"),
        Pinion(&["exec", "v", r"{bin}\windows.exe", "station"]),
        Pinion(&["exec", "w", r"{bin}\windows.exe", "station", "other"]),
        Pinion(&["exec", "v", r"{bin}\windows.exe", "clipboard", "set", "v"]),
        Pinion(&["exec", "w", r"{bin}\windows.exe", "clipboard", "get"]),
        Pinion(&["rm", "-f", "v", "w"]),
    ],
};

/// The platform's own RPCSS in two machines, each started by its machine's service controller because a
/// COM client asks for it.
const RPCSS: Scenario = Scenario {
    name: "rpcss",
    steps: &[
        Pinion(&[
            "run",
            "-d",
            "--name",
            "r",
            r"{bin}\child.exe",
            "sleep",
            "60",
        ]),
        Pinion(&[
            "run",
            "-d",
            "--name",
            "s",
            r"{bin}\child.exe",
            "sleep",
            "60",
        ]),
        Inspect("r"),
        Inspect("s"),
        Pinion(&["exec", "r", r"{bin}\com_client.exe", "of-r"]),
        Pinion(&["exec", "s", r"{bin}\com_client.exe", "of-s"]),
        Pinion(&["rm", "-f", "r", "s"]),
    ],
};

/// The same web server twice, from one folder, on one port, and a page from each.
const NGINX: Scenario = Scenario {
    name: "nginx",
    steps: &[
        LayNginx,
        Pinion(&[
            "run",
            "-d",
            "--name",
            "n1",
            "-w",
            r"C:\audit-nginx",
            r"C:\audit-nginx\nginx.exe",
        ]),
        Pinion(&[
            "run",
            "-d",
            "--name",
            "n2",
            "-w",
            r"C:\audit-nginx",
            r"C:\audit-nginx\nginx.exe",
        ]),
        Inspect("n1"),
        Inspect("n2"),
        Page("n1"),
        Page("n2"),
        Pinion(&["rm", "-f", "n1", "n2"]),
    ],
};
