//! A place for everything: VMs one below the other, their processes in columns from who
//! opens to who is opened, and what lies outside in a column at the right.

use std::collections::HashMap;

use crate::graph::{Graph, Kind};

/// A node's width and height, in the picture's units.
pub const NODE: (f64, f64) = (190.0, 46.0);
/// Between columns: room for what is written at edges.
const COLUMN_GAP: f64 = 150.0;
/// Between nodes of a column.
const ROW_GAP: f64 = 26.0;
/// Within a VM's border.
const INNER: f64 = 30.0;
/// Above the first node of a VM: its name.
const HEAD: f64 = 36.0;
/// Between VMs, and around all.
const OUTER: f64 = 40.0;
/// The most columns of one VM, and the most nodes that stand in one before it is begun anew.
const COLUMNS: usize = 5;
const ROWS: usize = 8;
/// How often the order within columns is mended.
const ROUNDS: usize = 8;

/// A rectangle: its left upper corner, width and height.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// From the left.
    pub x: f64,
    /// From above.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// Whether the two have an inner point in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }

    /// Whether the other is within this one.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.x + other.w <= self.x + self.w
            && other.y + other.h <= self.y + self.h
    }
}

/// An edge's curve: four points of a cubic Bézier curve, and the middle of what is written
/// at it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Curve {
    /// The points.
    pub points: [(f64, f64); 4],
    /// Where its text is.
    pub label: (f64, f64),
}

/// Where everything is.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The VMs' borders.
    pub vms: Vec<Rect>,
    /// The nodes.
    pub nodes: Vec<Rect>,
    /// The edges.
    pub edges: Vec<Curve>,
    /// The picture's width and height.
    pub size: (f64, f64),
}

/// Lays out a graph.
#[must_use]
pub fn layout(graph: &Graph) -> Layout {
    let mut laid = Layout {
        nodes: vec![Rect::default(); graph.nodes.len()],
        ..Layout::default()
    };
    let (mut y, mut right) = (OUTER, OUTER);
    for vm in 0..graph.vms.len() {
        let columns = columns(graph, vm);
        let border = place(&columns, y, &mut laid.nodes);
        y += border.h + OUTER;
        right = right.max(border.x + border.w);
        laid.vms.push(border);
    }
    for border in &mut laid.vms {
        border.w = right - border.x;
    }
    let below = outside(graph, right + COLUMN_GAP, &mut laid.nodes);
    let x = laid.nodes.iter().map(|node| node.x + node.w);
    laid.size = (x.fold(right, f64::max) + OUTER, y.max(below));
    laid.edges = curves(graph, &laid.nodes);
    laid
}

/// The processes of a VM in columns: one is right of those that open what it has made.
fn columns(graph: &Graph, vm: usize) -> Vec<Vec<usize>> {
    let of_vm = |node: &usize| graph.nodes[*node].vm == Some(vm);
    let nodes: Vec<usize> = (0..graph.nodes.len()).filter(of_vm).collect();
    let mut rank: HashMap<usize, usize> = nodes.iter().map(|node| (*node, 0)).collect();
    // Ranks that run in a circle stop at the last column.
    for _ in 0..COLUMNS {
        for edge in &graph.edges {
            if let (Some(&from), Some(&to)) = (rank.get(&edge.from), rank.get(&edge.to))
                && to <= from
            {
                rank.insert(edge.to, (from + 1).min(COLUMNS - 1));
            }
        }
    }
    let mut columns = vec![Vec::new(); COLUMNS];
    for node in nodes {
        columns[rank[&node]].push(node);
    }
    columns.retain(|column| !column.is_empty());
    order(graph, &mut columns);
    let split = |column: Vec<usize>| {
        let parts: Vec<Vec<usize>> = column.chunks(ROWS).map(<[usize]>::to_vec).collect();
        parts
    };
    columns.into_iter().flat_map(split).collect()
}

/// Puts each node near those that it has edges with.
fn order(graph: &Graph, columns: &mut [Vec<usize>]) {
    let mut row: HashMap<usize, f64> = HashMap::new();
    for column in columns.iter() {
        for (at, node) in column.iter().enumerate() {
            row.insert(*node, at as f64);
        }
    }
    for _ in 0..ROUNDS {
        for column in columns.iter_mut() {
            let middle: HashMap<usize, f64> = column
                .iter()
                .map(|node| (*node, middle(graph, &row, *node)))
                .collect();
            column.sort_by(|a, b| middle[a].total_cmp(&middle[b]).then(a.cmp(b)));
            for (at, node) in column.iter().enumerate() {
                row.insert(*node, at as f64);
            }
        }
    }
}

/// The mean row of who a node has edges with; its own when it has none.
fn middle(graph: &Graph, row: &HashMap<usize, f64>, node: usize) -> f64 {
    let others = graph.edges.iter().filter_map(|edge| {
        let other = match (edge.from == node, edge.to == node) {
            (true, false) => edge.to,
            (false, true) => edge.from,
            _ => return None,
        };
        row.get(&other)
    });
    let (sum, count) = others.fold((0.0, 0), |(sum, count), row| (sum + row, count + 1));
    if count == 0 {
        row.get(&node).copied().unwrap_or(0.0)
    } else {
        sum / f64::from(count)
    }
}

/// Places the columns of a VM from `y` on; its border.
fn place(columns: &[Vec<usize>], y: f64, nodes: &mut [Rect]) -> Rect {
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let height = rows as f64 * (NODE.1 + ROW_GAP) - ROW_GAP;
    for (column, members) in columns.iter().enumerate() {
        let own = members.len() as f64 * (NODE.1 + ROW_GAP) - ROW_GAP;
        let x = OUTER + INNER + column as f64 * (NODE.0 + COLUMN_GAP);
        let top = y + HEAD + (height - own) / 2.0;
        for (row, node) in members.iter().enumerate() {
            let y = top + row as f64 * (NODE.1 + ROW_GAP);
            nodes[*node] = Rect {
                x,
                y,
                w: NODE.0,
                h: NODE.1,
            };
        }
    }
    let count = columns.len().max(1) as f64;
    Rect {
        x: OUTER,
        y,
        w: count * (NODE.0 + COLUMN_GAP) - COLUMN_GAP + 2.0 * INNER,
        h: HEAD + height + INNER,
    }
}

/// How wide a node outside is: its names are long.
const WIDE: f64 = 300.0;

/// Places what lies outside of the VMs; where it ends.
fn outside(graph: &Graph, x: f64, nodes: &mut [Rect]) -> f64 {
    let mut order: Vec<(u8, f64, usize)> = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        if node.vm.is_some() {
            continue;
        }
        let group = match node.kind {
            Kind::Refused => 2,
            Kind::Address | Kind::Rule => 1,
            Kind::Host | Kind::Process => 0,
        };
        let from = graph.edges.iter().filter(|edge| edge.to == at);
        let (sum, count) = from.fold((0.0, 0), |(sum, count), edge| {
            (sum + nodes[edge.from].y, count + 1)
        });
        order.push((group, sum / f64::from(count.max(1)), at));
    }
    order.sort_by(|a, b| (a.0, a.2).cmp(&(b.0, b.2)).then(a.1.total_cmp(&b.1)));
    order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut y = OUTER + HEAD;
    let mut last = None;
    for (group, _, node) in order {
        if last.is_some_and(|last| last != group) {
            y += HEAD;
        }
        last = Some(group);
        nodes[node] = Rect {
            x,
            y,
            w: WIDE,
            h: NODE.1,
        };
        y += NODE.1 + ROW_GAP;
    }
    y + OUTER
}

/// Half the room of what is written at an edge.
pub const LABEL: (f64, f64) = (58.0, 9.0);

fn curves(graph: &Graph, nodes: &[Rect]) -> Vec<Curve> {
    let mut taken: Vec<Rect> = nodes.to_vec();
    let mut curves = Vec::with_capacity(graph.edges.len());
    for edge in &graph.edges {
        let points = curve(&nodes[edge.from], &nodes[edge.to]);
        let label = free(&points, &taken);
        taken.push(room(label));
        curves.push(Curve { points, label });
    }
    curves
}

/// The room of what is written at a point.
#[must_use]
pub fn room((x, y): (f64, f64)) -> Rect {
    Rect {
        x: x - LABEL.0,
        y: y - LABEL.1,
        w: 2.0 * LABEL.0,
        h: 2.0 * LABEL.1,
    }
}

fn curve(from: &Rect, to: &Rect) -> [(f64, f64); 4] {
    let (start, end) = (from.y + from.h / 2.0, to.y + to.h / 2.0);
    let right = from.x + from.w;
    if to.x > right {
        let half = (to.x - right) / 2.0;
        return [
            (right, start),
            (right + half, start),
            (to.x - half, end),
            (to.x, end),
        ];
    }
    if from.x > to.x + to.w {
        let half = (from.x - to.x - to.w) / 2.0;
        let left = to.x + to.w;
        return [
            (from.x, start + 8.0),
            (from.x - half, start + 8.0),
            (left + half, end + 8.0),
            (left, end + 8.0),
        ];
    }
    // In one column: round its right side.
    let bow = 60.0 + (end - start).abs() / 8.0;
    let other = to.x + to.w;
    [
        (right, start),
        (right + bow, start),
        (other + bow, end),
        (other, end),
    ]
}

/// The point of a curve at `t` from 0 to 1.
fn at(points: &[(f64, f64); 4], t: f64) -> (f64, f64) {
    let u = 1.0 - t;
    let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
    let sum = |of: fn(&(f64, f64)) -> f64| points.iter().zip(weights).map(|(p, w)| of(p) * w).sum();
    (sum(|p| p.0), sum(|p| p.1))
}

/// A place for a text at the curve: where it meets nothing, if there is one.
fn free(points: &[(f64, f64); 4], taken: &[Rect]) -> (f64, f64) {
    let along = [
        0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7, 0.25, 0.75, 0.2, 0.8, 0.15, 0.85,
    ];
    let aside = [0.0, 12.0, -12.0, 22.0, -22.0, 34.0, -34.0];
    // Beside a bow there is room at its outer side.
    for (dx, dy) in aside
        .into_iter()
        .flat_map(|dy| [(0.0, dy), (24.0, dy), (-24.0, dy)])
    {
        for t in along {
            let (x, y) = at(points, t);
            let place = (x + dx, y + dy);
            if !taken.iter().any(|other| other.meets(&room(place))) {
                return place;
            }
        }
    }
    at(points, 0.5)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::graph::{Edge, Node};
    use proptest::prelude::*;

    /// A graph of so many VMs, processes of each and nodes outside, with these edges.
    pub(crate) fn graph(
        vms: usize,
        each: usize,
        outside: usize,
        edges: &[(usize, usize)],
    ) -> Graph {
        let node = |kind, vm, title: String| Node {
            kind,
            vm,
            title,
            more: String::new(),
            path: String::new(),
            events: 1,
            refused: 0,
            shown: 0,
            changed: 0,
        };
        let mut graph = Graph {
            vms: (0..vms).map(|vm| format!("vm{vm}")).collect(),
            ..Graph::default()
        };
        for vm in 0..vms {
            for at in 0..each {
                graph
                    .nodes
                    .push(node(Kind::Process, Some(vm), format!("p{at}.exe")));
            }
        }
        for at in 0..outside {
            let kind = [Kind::Host, Kind::Rule, Kind::Refused, Kind::Address][at % 4];
            graph.nodes.push(node(kind, None, format!("outside {at}")));
        }
        let count = graph.nodes.len();
        for (from, to) in edges {
            let (from, to) = (from % count, to % count);
            if from != to && graph.nodes[from].vm.is_some() {
                let (talks, refused) = (Vec::new(), false);
                graph.edges.push(Edge {
                    from,
                    to,
                    talks,
                    refused,
                });
            }
        }
        graph
    }

    fn check(graph: &Graph, laid: &Layout) -> Result<(), String> {
        for (at, rect) in laid.nodes.iter().enumerate() {
            for (other, second) in laid.nodes.iter().enumerate().skip(at + 1) {
                if rect.meets(second) {
                    return Err(format!("{at} lies over {other}"));
                }
            }
            for (vm, border) in laid.vms.iter().enumerate() {
                let inside = graph.nodes[at].vm == Some(vm);
                if inside != border.holds(rect) || inside != border.meets(rect) {
                    return Err(format!("{at} and the border of {vm}"));
                }
            }
            let all = Rect {
                x: 0.0,
                y: 0.0,
                w: laid.size.0,
                h: laid.size.1,
            };
            if !all.holds(rect) {
                return Err(format!("{at} is out of the picture"));
            }
        }
        Ok(())
    }

    #[test]
    fn thirty_processes_have_room_for_all_that_is_written() {
        let edges: Vec<_> = (0..45)
            .map(|at| (at * 7 % 30, (at * 11 + 3) % 38))
            .collect();
        let graph = graph(3, 10, 8, &edges);
        let laid = layout(&graph);
        check(&graph, &laid).unwrap();
        let rooms: Vec<Rect> = laid.edges.iter().map(|edge| room(edge.label)).collect();
        let over = |at: usize| {
            let others = rooms.iter().enumerate().filter(|(other, _)| *other != at);
            others
                .map(|(_, room)| room)
                .chain(&laid.nodes)
                .any(|other| other.meets(&rooms[at]))
        };
        let count = (0..rooms.len()).filter(|at| over(*at)).count();
        assert!(
            count * 20 <= rooms.len(),
            "{count} of {} texts lie over something",
            rooms.len()
        );
    }

    proptest! {
        #[test]
        fn nothing_lies_over_another_and_vms_hold_their_own(
            vms in 1..4_usize, each in 0..40_usize, outside in 0..20_usize,
            edges in proptest::collection::vec((0..200_usize, 0..200_usize), 0..80),
        ) {
            prop_assume!(vms * each + outside > 0);
            let graph = graph(vms, each, outside, &edges);
            let laid = layout(&graph);
            prop_assert_eq!(check(&graph, &laid), Ok(()));
        }
    }
}
