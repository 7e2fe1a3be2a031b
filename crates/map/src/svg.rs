//! The picture as SVG.

use std::fmt::Write;

use crate::escape::{short, xml};
use crate::graph::{Graph, Kind};
use crate::layout::{Curve, Layout, Rect, layout};

/// What everything looks like; in the picture itself, so that it stands alone.
pub(crate) const STYLE: &str = "
text { font: 13px 'DejaVu Sans', 'Segoe UI', sans-serif; fill: #1b2733; }
.small { font-size: 11px; fill: #55636f; }
.vm > rect { fill: #f4f8fc; stroke: #5b8db8; stroke-width: 2; }
.vm > text { font-weight: bold; font-size: 15px; fill: #2c5b83; }
.head { font-weight: bold; font-size: 15px; fill: #6b6b6b; }
.node > rect { fill: #ffffff; stroke: #5b6b7a; stroke-width: 1.5; rx: 6; }
.node.host > rect { fill: #fff8e6; stroke: #b8912e; }
.node.rule > rect { fill: #fdeeda; stroke: #c9702b; }
.node.address > rect { fill: #eef7ee; stroke: #4f8f4f; }
.node.refused > rect { fill: #fdeaea; stroke: #c62828; }
.node.refused > text { fill: #8e1b1b; }
.edge path { fill: none; stroke: #7c8b99; stroke-width: 1.6; }
.edge.refused path { stroke: #d32f2f; stroke-width: 1.8; stroke-dasharray: 6 4; }
.edge text { font-size: 11px; fill: #40505e; text-anchor: middle; paint-order: stroke; stroke: #ffffff; stroke-width: 4; stroke-linejoin: round; }
.edge.refused text { fill: #b71c1c; }
";

/// The graph as a whole file.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let laid = layout(graph);
    let (w, h) = laid.size;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\">\n\
         <style>{STYLE}</style>\n<rect width=\"{w:.0}\" height=\"{h:.0}\" fill=\"#ffffff\"/>\n"
    );
    content(graph, &laid, &mut out);
    out += "</svg>\n";
    out
}

/// The graph's elements. Nodes and edges have their places in the graph as `data-node` and
/// `data-edge`.
pub(crate) fn content(graph: &Graph, laid: &Layout, out: &mut String) {
    *out += "<defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
             <path d=\"M0 0L8 4L0 8z\" fill=\"#7c8b99\"/></marker><marker id=\"no\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
             markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#d32f2f\"/></marker></defs>\n";
    for (name, at) in graph.vms.iter().zip(&laid.vms) {
        let _ = writeln!(
            out,
            "<g class=\"vm\"><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"10\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">VM {}</text></g>",
            at.x,
            at.y,
            at.w,
            at.h,
            at.x + 16.0,
            at.y + 24.0,
            xml(&short(name, 60)),
        );
    }
    if let Some(first) = first_outside(graph, laid) {
        let _ = writeln!(
            out,
            "<text class=\"head\" x=\"{:.1}\" y=\"{:.1}\">outside</text>",
            first.x,
            first.y - 14.0,
        );
    }
    for (number, (edge, at)) in graph.edges.iter().zip(&laid.edges).enumerate() {
        edge_of(number, edge.refused, &edge.label(), at, out);
    }
    for (number, (node, at)) in graph.nodes.iter().zip(&laid.nodes).enumerate() {
        let most = if node.vm.is_some() { 24 } else { 40 };
        let mut more = node.more.clone();
        if node.kind == Kind::Process {
            more = format!("{} · {} events", node.more, node.events);
            if node.refused > 0 {
                let _ = write!(more, ", {} refused", node.refused);
            }
        }
        let (x, y) = (at.x + 10.0, at.y + 19.0);
        let _ = writeln!(
            out,
            "<g class=\"node {}\" data-node=\"{number}\"><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
             <text x=\"{x:.1}\" y=\"{y:.1}\">{}</text><text class=\"small\" x=\"{x:.1}\" y=\"{:.1}\">{}</text></g>",
            class(node.kind),
            xml(if node.path.is_empty() {
                &node.title
            } else {
                &node.path
            }),
            at.x,
            at.y,
            at.w,
            at.h,
            xml(&short(&node.title, most)),
            y + 17.0,
            xml(&short(&more, most + 6)),
        );
    }
}

fn first_outside(graph: &Graph, laid: &Layout) -> Option<Rect> {
    let outside = graph.nodes.iter().zip(&laid.nodes);
    let outside = outside.filter(|(node, _)| node.vm.is_none());
    outside
        .map(|(_, at)| *at)
        .min_by(|a, b| a.y.total_cmp(&b.y))
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Process => "process",
        Kind::Host => "host",
        Kind::Rule => "rule",
        Kind::Address => "address",
        Kind::Refused => "refused",
    }
}

fn edge_of(number: usize, refused: bool, label: &str, at: &Curve, out: &mut String) {
    let [a, b, c, d] = at.points;
    let (class, end) = if refused {
        ("edge refused", "no")
    } else {
        ("edge", "end")
    };
    let _ = writeln!(
        out,
        "<g class=\"{class}\" data-edge=\"{number}\"><path d=\"M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}\" marker-end=\"url(#{end})\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        a.0,
        a.1,
        b.0,
        b.1,
        c.0,
        c.1,
        d.0,
        d.1,
        at.label.0,
        at.label.1 + 4.0,
        xml(&short(label, 30)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::tests::graph;

    #[test]
    fn hostile_names_stay_text() {
        let mut graph = graph(1, 2, 1, &[(0, 2)]);
        let bad = "</text><script>alert(1)</script>\u{202e}\u{0}&\"'";
        graph.vms[0] = bad.into();
        for node in &mut graph.nodes {
            (node.title, node.path, node.more) = (bad.into(), bad.into(), bad.into());
        }
        let text = svg(&graph);
        assert!(!text.contains("<script") && !text.contains('\u{0}') && !text.contains('\u{202e}'));
        assert_eq!(
            text.matches("<text").count(),
            text.matches("</text>").count()
        );
    }
}
