//! The rounds: every way of every probe between all pairs, by programs; then the
//! plain ways by children, by services and after a restart.

use super::cast::Player;
use super::machines::Machines;
use crate::failure::Failure;
use pinion_probes::verdict::Sights;
use pinion_probes::{Ask, By, Facts, Pair, Place, Probe, Row, Seen, Task, Way};

/// Who plays what in a round.
struct Cast {
    host_server: Player,
    host_client: Player,
    vm_server: Player,
    vm_client: Player,
    other_client: Player,
    /// Where the server in the VM really is.
    place: Place,
    /// For names that nothing else has.
    count: u32,
}

/// A row for each way of the probes.
pub fn all(
    machines: &mut Machines,
    probes: &[&Probe],
    quick: bool,
    tell: &mut impl FnMut(String),
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    round(
        &mut cast(machines, By::Program),
        probes,
        By::Program,
        tell,
        &mut rows,
    );
    if quick {
        return Ok(rows);
    }
    for by in By::OTHERS {
        if by == By::Restart {
            machines.restart(1)?;
        }
        round(&mut cast(machines, by), probes, by, tell, &mut rows);
    }
    Ok(rows)
}

fn cast(machines: &Machines, by: By) -> Cast {
    let how: &[&str] = match by {
        By::Program | By::Restart => &[],
        By::Child => &["child"],
        By::Service => &["service"],
    };
    let (server, other) = if by == By::Restart { (1, 0) } else { (0, 1) };
    Cast {
        host_server: machines.on_host(),
        host_client: machines.on_host(),
        vm_server: machines.in_vm(server, &[]),
        vm_client: machines.in_vm(server, how),
        other_client: machines.in_vm(other, how),
        place: machines.vm(server).place.clone(),
        count: 0,
    }
}

fn round(
    cast: &mut Cast,
    probes: &[&Probe],
    by: By,
    tell: &mut impl FnMut(String),
    rows: &mut Vec<Row>,
) {
    for probe in probes {
        let ways = match by {
            By::Program => probe.ways,
            By::Child | By::Service | By::Restart => &probe.ways[..1],
        };
        for way in ways {
            tell(format!("{} {}{}", probe.name, way.name, by.words()));
            let sights = pairs(cast, probe, way);
            rows.push(Row::new(probe, way, by, &sights));
        }
    }
}

fn pairs(cast: &mut Cast, probe: &Probe, way: &Way) -> Sights {
    let tried = Pair::ALL.into_iter().filter(|pair| way.kind.tries(*pair));
    tried
        .map(|pair| (pair, scene(cast, probe, way, pair)))
        .collect()
}

/// One server, one client, and what came of it.
fn scene(cast: &mut Cast, probe: &Probe, way: &Way, pair: Pair) -> Seen {
    cast.count += 1;
    let run = std::process::id();
    let (server, place) = match pair {
        Pair::Host | Pair::ToHost => (&mut cast.host_server, Place::default()),
        Pair::Inside | Pair::Across | Pair::FromHost => (&mut cast.vm_server, cast.place.clone()),
    };
    let client = match pair {
        Pair::Host | Pair::FromHost => &mut cast.host_client,
        Pair::Inside => &mut cast.vm_client,
        Pair::Across | Pair::ToHost => &mut cast.other_client,
    };
    let mut ask = Ask {
        task: Task::Serve,
        probe: probe.name.into(),
        way: way.name.into(),
        name: format!("PinionProbe{run}x{}", cast.count),
        secret: 0x5ec0_0000 | cast.count,
        token: 0x7ab0_0000 | cast.count,
        facts: Facts::new(),
        place,
    };
    let served = server.ask(&ask);
    if served.seen != Seen::Got {
        return prefixed(served.seen, "the server: ");
    }
    ask.facts = served.facts;
    ask.task = Task::Reach;
    let mut seen = client.ask(&ask).seen;
    if probe.effect && seen != Seen::Got {
        ask.task = Task::Check;
        if server.ask(&ask).seen == Seen::Got {
            seen = Seen::Got;
        }
    }
    ask.task = Task::Drop;
    server.ask(&ask);
    seen
}

fn prefixed(seen: Seen, before: &str) -> Seen {
    let with = |text: String| format!("{before}{text}");
    match seen {
        Seen::Got => Seen::Got,
        Seen::Other(text) => Seen::Other(with(text)),
        Seen::Refused(text) => Seen::Refused(with(text)),
        Seen::Missing(text) => Seen::Missing(with(text)),
        Seen::Broken(text) => Seen::Broken(with(text)),
    }
}
