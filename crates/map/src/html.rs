//! The picture as a page that stands alone: it can be moved and enlarged, filtered by name
//! and channel, and tells of what is clicked at. It loads nothing, and says so to the browser.

use std::fmt::Write;

use crate::escape::{in_script, xml};
use crate::graph::Graph;
use crate::layout::layout;
use crate::svg::{STYLE, content};

const LOOKS: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The graph as a whole page with this title.
#[must_use]
pub fn html(graph: &Graph, title: &str) -> String {
    let laid = layout(graph);
    let (w, h) = laid.size;
    let title = xml(title);
    let mut out = String::new();
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}{LOOKS}</style></head>\n<body>\n\
         <header><b>{title}</b> <input id=\"filter\" placeholder=\"filter by name\" autocomplete=\"off\">\
         <span id=\"channels\"></span><label><input type=\"checkbox\" id=\"only-refused\"> refused only</label>\
         <button id=\"whole\">whole picture</button> <span id=\"count\"></span></header>\n\
         <main><svg id=\"map\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\">\n"
    );
    content(graph, &laid, &mut out);
    let data = serde_json::to_string(graph).unwrap_or_else(|_| "{}".into());
    let _ = write!(
        out,
        "</svg><aside id=\"about\"><p>Click at a box or a line to see what goes on there. Drag to move, turn the wheel to \
         enlarge.</p></aside></main>\n<script type=\"application/json\" id=\"data\">{}</script>\n<script>{SCRIPT}</script>\n</body></html>\n",
        in_script(&data),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::tests::graph;

    #[test]
    fn hostile_names_stay_data() {
        let mut graph = graph(1, 2, 1, &[(0, 2)]);
        graph.nodes[0].title = "</script><script>alert(1)</script><!--".into();
        let page = html(&graph, "</title><b>");
        assert_eq!(page.matches("<script").count(), 2);
        assert!(!page.contains("<!--") && page.contains("&lt;/title&gt;"));
        for outside in ["http://", "https://"] {
            let names = "http://www.w3.org/";
            assert!(!page.replace(names, "").contains(outside));
        }
    }
}
