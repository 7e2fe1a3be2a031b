//! The picture for Graphviz and whatever reads its language.

use std::fmt::Write;

use crate::escape::dot as quoted;
use crate::graph::{Graph, Kind, Node};

/// The graph as a whole file.
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph pinion {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n",
    );
    for (vm, name) in graph.vms.iter().enumerate() {
        let label = quoted(&format!("VM {name}"));
        let _ = writeln!(out, "  subgraph cluster_{vm} {{\n    label={label};");
        for (number, node) in graph.nodes.iter().enumerate() {
            if node.vm == Some(vm) {
                let _ = writeln!(out, "    {}", one(number, node));
            }
        }
        out += "  }\n";
    }
    for (number, node) in graph.nodes.iter().enumerate() {
        if node.vm.is_none() {
            let _ = writeln!(out, "  {}", one(number, node));
        }
    }
    for edge in &graph.edges {
        let color = if edge.refused {
            ", color=red, style=dashed"
        } else {
            ""
        };
        let label = quoted(&edge.label());
        let _ = writeln!(
            out,
            "  n{} -> n{} [label={label}{color}];",
            edge.from, edge.to
        );
    }
    out += "}\n";
    out
}

fn one(number: usize, node: &Node) -> String {
    let label = match node.more.as_str() {
        "" => node.title.clone(),
        more => format!("{} ({more})", node.title),
    };
    let color = match node.kind {
        Kind::Refused => ", color=red",
        Kind::Host | Kind::Rule => ", color=goldenrod",
        Kind::Address => ", color=darkgreen",
        Kind::Process => "",
    };
    format!("n{number} [label={}{color}];", quoted(&label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::tests::graph;

    #[test]
    fn names_end_no_string() {
        let mut graph = graph(1, 1, 1, &[(0, 1)]);
        graph.nodes[0].title = "a\" ]; x -> y; \\".into();
        let text = dot(&graph);
        assert!(
            text.contains(r#"n0 [label="a\" ]; x -> y; \\"];"#),
            "{text}"
        );
        assert!(text.contains("n0 -> n1"));
    }
}
