//! Windows, and what goes by them.

use crate::kind::Kind::{Name, Number, Refused};
use crate::probe::{Probe, Way, felt, seen, way};
use pinion_channels::Channel;

const fn number(name: &'static str) -> Way {
    way(name, Number)
}

const fn name(name: &'static str) -> Way {
    way(name, Name)
}

pub(super) const PROBES: &[Probe] = &[
    felt(
        "window-message",
        Channel::Windows,
        &[
            number("post"),
            number("send"),
            number("send-timeout"),
            number("send-notify"),
            number("send-callback"),
            number("post-thread"),
            number("broadcast-post"),
            number("broadcast-send"),
            number("copy-data"),
            number("set-text"),
            number("move"),
            number("set-property"),
            number("set-user-data"),
            number("native-post"),
            number("native-post-thread"),
        ],
    ),
    seen(
        "window-query",
        Channel::Windows,
        &[
            number("find"),
            number("find-ex"),
            number("enumerate"),
            number("enumerate-thread"),
            number("enumerate-desktop"),
            number("top-and-next"),
            number("at-point"),
            number("text"),
            number("internal-text"),
            number("class-name"),
            number("property"),
            number("user-data"),
            number("rectangle"),
            number("process-of"),
            number("is-window"),
            number("native-find"),
            number("native-list"),
        ],
    ),
    seen(
        "window-call",
        Channel::Windows,
        &[
            number("ancestor"),
            number("layered"),
            number("scroll-bar"),
            number("title-bar"),
            number("placement"),
            number("internal-placement"),
            number("region"),
            number("update-rectangle"),
            number("update-region"),
            number("child-at"),
            number("real-child-at"),
            number("set-layered"),
            number("set-scroll"),
            number("set-placement"),
            number("invalidate"),
            number("invalidate-region"),
            number("validate"),
            number("validate-region"),
            number("redraw"),
            number("move-window"),
            number("show"),
            number("show-async"),
            number("child-of"),
            number("set-parent"),
            number("remove-property"),
            number("set-long"),
            number("lock-update"),
        ],
    ),
    seen(
        "screen",
        Channel::Screen,
        &[
            number("context"),
            number("context-ex"),
            number("window-context"),
            number("print"),
            way("pixel", Refused),
            way("copy", Refused),
            way("display", Refused),
        ],
    ),
    felt("drop-files", Channel::DragDrop, &[number("post")]),
    felt(
        "dde",
        Channel::Dde,
        &[number("initiate"), number("initiate-window")],
    ),
    seen(
        "hook",
        Channel::Hooks,
        &[
            number("events-of-all"),
            number("events-of-process"),
            number("message-hook"),
        ],
    ),
    seen(
        "accessible-event",
        Channel::Accessibility,
        &[number("name-change")],
    ),
    seen(
        "input",
        Channel::Input,
        &[
            number("foreground"),
            number("attach-input"),
            number("gui-thread-info"),
            name("hot-key"),
        ],
    ),
    seen(
        "cursor",
        Channel::InputState,
        &[
            way("position", Refused),
            way("clip", Refused),
            way("key", Refused),
        ],
    ),
    seen(
        "clipboard",
        Channel::Clipboard,
        &[name("text"), name("format"), name("owner")],
    ),
    seen(
        "atom",
        Channel::Atoms,
        &[
            name("find"),
            name("native-find"),
            number("value"),
            number("registered-message"),
        ],
    ),
    seen("menu", Channel::UserHandles, &[number("text")]),
    seen(
        "window-menu",
        Channel::UserHandles,
        &[
            number("bar"),
            number("item"),
            number("system"),
            number("hilite"),
            number("set"),
        ],
    ),
    seen(
        "clipboard-window",
        Channel::Clipboard,
        &[number("open"), number("listen"), number("viewer")],
    ),
    seen("thread-input", Channel::Processes, &[number("focus")]),
    seen("thread-desktop", Channel::Stations, &[number("get")]),
    seen(
        "station",
        Channel::Stations,
        &[
            name("open-station"),
            name("open-desktop"),
            name("list-stations"),
            name("list-desktops"),
        ],
    ),
    felt("caret-blink", Channel::Settings, &[way("set", Refused)]),
    felt("wheel-lines", Channel::Settings, &[way("set", Refused)]),
    felt("colors", Channel::Settings, &[way("set", Refused)]),
];
