//! Lays out rows in columns for people. Scripts take `--json`.

/// `head` and `rows` in columns two spaces apart, each line ended.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = line(&head, widths);
    for row in rows {
        text += &line(&row.each_ref().map(String::as_str), widths);
    }
    text
}

fn line<const N: usize>(cells: &[&str; N], widths: [usize; N]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text += &format!("{cell:width$}  ");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_line_ends_in_spaces() {
        let text = table(
            ["NAME", "ID"],
            &[
                ["long_name".into(), "7".into()],
                ["a".into(), String::new()],
            ],
        );
        assert_eq!(text, "NAME       ID\nlong_name  7\na\n");
    }
}
