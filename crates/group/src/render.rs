//! The same front as a configuration of HAProxy, for groups on several hosts.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::config::{Config, Mode, Protocol, units};

/// One host's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name in HAProxy.
    pub name: String,
    /// Where its front listens.
    pub front: SocketAddr,
}

/// A configuration of HAProxy 2.6 or newer, that listens at `bind` and hands on to the fronts of
/// `hosts`. Health checks go to the status page of each front where the file gives one, which
/// answers 404 while its group goes down: HAProxy lets it drain then.
#[must_use]
pub fn haproxy(name: &str, config: &Config, bind: &str, hosts: &[Host]) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        let _ = writeln!(text, "{line}");
    };
    line(&format!(
        "# The group '{name}' on several hosts. Written by 'pinion group render --haproxy'."
    ));
    line("global");
    line(&format!(
        "    maxconn {}",
        config.front.connections * hosts.len().max(1)
    ));
    defaults(config, &mut line);
    line(&format!("frontend {name}"));
    line(&format!("    bind {bind}"));
    line(&format!("    default_backend {name}-groups"));
    line(&format!("backend {name}-groups"));
    line("    balance leastconn");
    if config.front.protocol == Protocol::Http {
        line("    http-request disable-l7-retry unless METH_GET or { method HEAD OPTIONS }");
    }
    checks(config, &mut line);
    for host in hosts {
        line(&server(config, host));
    }
    if config.front.mode == Mode::Vote {
        line("    # Each group votes over its own replicas; HAProxy compares nothing.");
    }
    text
}

fn defaults(config: &Config, line: &mut impl FnMut(&str)) {
    let (front, time) = (&config.front, units::shown);
    let http = front.protocol == Protocol::Http;
    line("defaults");
    line(if http {
        "    mode http"
    } else {
        "    mode tcp"
    });
    line("    timeout connect 1s");
    line(&format!("    timeout client {}", time(front.idle_time)));
    line(&format!(
        "    timeout server {}",
        time(front.answer_time + front.queue_time)
    ));
    line(&format!("    timeout queue {}", time(front.queue_time)));
    if http {
        line(&format!(
            "    timeout http-request {}",
            time(front.head_time)
        ));
        line(&format!(
            "    timeout http-keep-alive {}",
            time(front.head_time)
        ));
        line("    option forwardfor");
        line("    option redispatch 1");
        line("    retries 3");
        line("    retry-on conn-failure empty-response response-timeout 503");
    }
}

fn server(config: &Config, host: &Host) -> String {
    let (check, time) = (&config.check, units::shown);
    let status = config.front.status;
    let port = status.map_or(String::new(), |status| format!(" port {}", status.port()));
    // A request that waits is tried again elsewhere when its time is over; its client would be hung up on.
    let down = match config.front.protocol {
        Protocol::Http => "",
        Protocol::Tcp => " on-marked-down shutdown-sessions",
    };
    format!(
        "    server {} {} check{port} inter {} fastinter {} rise {} fall {}{down}",
        host.name,
        host.front,
        time(check.interval),
        time(check.start_interval),
        check.rise,
        check.fall,
    )
}

fn checks(config: &Config, line: &mut impl FnMut(&str)) {
    let check = &config.check;
    if config.front.status.is_some() {
        line("    option httpchk GET /");
        line("    http-check disable-on-404");
        line("    http-check expect status 200");
    } else if let Some(path) = &check.http {
        line("    option httpchk");
        line(&format!(
            "    http-check send meth GET uri {path} ver HTTP/1.1 hdr Host pinion"
        ));
        line(&format!("    http-check expect status {}", check.status));
    }
    line(&format!(
        "    timeout check {}",
        units::shown(check.timeout)
    ));
}
