//! What programs share: the network, the disk, the registry, servers of the
//! system, devices.

use crate::kind::Kind::{Host, Layered, Name, Number, Real};
use crate::probe::{Probe, Way, felt, seen, way};
use pinion_channels::Channel;

const fn name(name: &'static str) -> Way {
    way(name, Name)
}

const fn layered(name: &'static str) -> Way {
    way(name, Layered)
}

const fn host(name: &'static str) -> Way {
    way(name, Host)
}

pub(super) const PROBES: &[Probe] = &[
    seen(
        "stream",
        Channel::Sockets,
        &[
            name("loopback"),
            name("other-loopback"),
            name("localhost"),
            name("mapped"),
            name("loopback-6"),
            name("any-server"),
            name("machine-name"),
            name("taken-port"),
            way("real-address", Real),
        ],
    ),
    felt(
        "datagram",
        Channel::Sockets,
        &[
            name("loopback"),
            name("any-server"),
            way("real-address", Real),
        ],
    ),
    seen("unix-socket", Channel::Sockets, &[name("path")]),
    seen(
        "socket-table",
        Channel::SocketTables,
        &[
            way("tcp", Number),
            way("tcp-with-owners", Number),
            way("udp", Number),
        ],
    ),
    seen("outward", Channel::Outward, &[host("machine-address")]),
    seen(
        "file",
        Channel::Files,
        &[
            layered("open"),
            layered("upper-case"),
            layered("long-form"),
            layered("nt-path"),
            layered("unc"),
            layered("global-root"),
            layered("relative"),
            layered("short-name"),
            way("by-id", Real),
            layered("hard-link"),
            layered("listed"),
            layered("attributes"),
            layered("attributes-by-name"),
            layered("attributes-in-full"),
            way("real-path", Real),
            way("real-hard-link", Real),
        ],
    ),
    felt(
        "file-change",
        Channel::Files,
        &[
            name("write"),
            name("nt-path"),
            name("unc"),
            name("append"),
            name("delete"),
            name("nt-delete"),
            name("rename"),
            name("hard-link"),
            name("map"),
            way("real-path", Real),
        ],
    ),
    felt("file-notice", Channel::FileNotices, &[name("new-file")]),
    seen(
        "file-lock",
        Channel::FileNotices,
        &[name("lock"), layered("share-mode")],
    ),
    seen(
        "key",
        Channel::Registry,
        &[
            layered("open"),
            layered("upper-case"),
            layered("open-ex"),
            layered("nt-path"),
            layered("transacted"),
            layered("transacted-ex"),
            layered("listed"),
            layered("classes"),
            way("real-path", Real),
        ],
    ),
    felt(
        "key-change",
        Channel::Registry,
        &[
            name("set"),
            way("create", Number),
            name("delete"),
            way("transacted", Number),
            way("real-path", Real),
        ],
    ),
    felt(
        "key-notice",
        Channel::Registry,
        &[name("set"), name("one-key")],
    ),
    seen(
        "hive",
        Channel::Registry,
        &[name("load"), name("load-2"), name("load-ex")],
    ),
    seen(
        "profile",
        Channel::Environment,
        &[
            layered("ini-file"),
            layered("volatile-environment"),
            layered("user-environment"),
        ],
    ),
    seen(
        "service",
        Channel::Services,
        &[name("open"), name("listed"), name("create")],
    ),
    seen("running-object", Channel::Com, &[name("is-running")]),
    seen(
        "rpc",
        Channel::Rpc,
        &[name("local"), name("pipe"), name("tcp"), name("mapper")],
    ),
    seen("port", Channel::Ports, &[name("create")]),
    seen(
        "alpc-port",
        Channel::Alpc,
        &[name("create"), name("connect"), name("connect-ex")],
    ),
    seen(
        "host-endpoint",
        Channel::Rpc,
        &[
            host("svcctl"),
            host("lsarpc"),
            host("samr"),
            host("epmapper"),
            host("samss-lpc"),
            host("lsasspirpc"),
        ],
    ),
    seen("http", Channel::Http, &[host("request-queue")]),
    seen(
        "device",
        Channel::Devices,
        &[
            host("cm-api"),
            host("physical-drive"),
            host("raw-volume"),
            host("raw-volume-device"),
            host("serial-port"),
            host("plug-and-play"),
            host("key-security"),
        ],
    ),
    seen(
        "printer",
        Channel::Printers,
        &[host("spooler-pipe"), host("add"), host("list")],
    ),
    felt("task", Channel::Tasks, &[host("schtasks"), host("at")]),
    seen("task-endpoint", Channel::Tasks, &[host("atsvc")]),
    felt("wmi", Channel::Wmi, &[host("process-create")]),
    felt(
        "shell",
        Channel::ShellExecute,
        &[
            host("start"),
            host("shell-execute"),
            host("explorer"),
            host("command-processor"),
        ],
    ),
    seen(
        "credential",
        Channel::Credentials,
        &[name("read"), name("listed")],
    ),
    felt(
        "unix",
        Channel::Unix,
        &[
            host("start"),
            host("start-command"),
            host("shell-execute"),
            host("spawn"),
            host("file"),
            host("drive"),
        ],
    ),
];
