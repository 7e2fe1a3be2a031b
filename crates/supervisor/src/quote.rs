//! One command line out of a program and its arguments, as the Microsoft C runtime takes it apart,
//! and the programs that one may mean.

/// The command line: each argument in quotes where it needs them.
#[must_use]
pub fn command_line(arguments: &[String]) -> String {
    let quoted: Vec<String> = arguments.iter().map(|argument| quote(argument)).collect();
    quoted.join(" ")
}

/// Backslashes are doubled before a quote and at the end; elsewhere they stand for themselves.
fn quote(argument: &str) -> String {
    if !argument.is_empty() && !argument.contains([' ', '\t', '\n', '\u{b}', '"']) {
        return argument.into();
    }
    let mut text = String::from("\"");
    let mut backslashes = 0;
    for c in argument.chars() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        let doubled = if c == '"' {
            backslashes * 2 + 1
        } else {
            backslashes
        };
        text.extend(std::iter::repeat_n('\\', doubled));
        text.push(c);
        backslashes = 0;
    }
    text.extend(std::iter::repeat_n('\\', backslashes * 2));
    text.push('"');
    text
}

/// What follows the first `count` arguments of a command line and the spaces after them. The first is
/// the program, in which a backslash stands for itself.
#[must_use]
pub fn after(line: &str, count: usize) -> &str {
    let mut rest = line.trim_start_matches([' ', '\t']);
    for index in 0..count {
        let (mut quoted, mut backslashes) = (false, 0);
        let ends = |(_, c): &(usize, char)| {
            match c {
                '"' if index == 0 || backslashes % 2 == 0 => quoted = !quoted,
                ' ' | '\t' if !quoted => return true,
                _ => (),
            }
            backslashes = if *c == '\\' { backslashes + 1 } else { 0 };
            false
        };
        let end = rest
            .char_indices()
            .find(ends)
            .map_or(rest.len(), |(at, _)| at);
        rest = rest
            .get(end..)
            .unwrap_or_default()
            .trim_start_matches([' ', '\t']);
    }
    rest
}

/// The names of a program that a command line may begin with, each with what follows it: the one in
/// quotes, or those that end at each space.
pub fn programs(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = line.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let spaces = line.match_indices([' ', '\t']).map(|(at, _)| at);
    let words = spaces.chain([line.len()]).filter(move |_| quoted.is_none());
    let words = words.map(|end| line.split_at(end));
    quoted
        .into_iter()
        .chain(words)
        .filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rules of "Parsing C command-line arguments" (Microsoft), without the doubled quote.
    fn take_apart(line: &str) -> Vec<String> {
        let (mut arguments, mut current) = (Vec::new(), None::<String>);
        let (mut quoted, mut backslashes) = (false, 0);
        for c in line.chars() {
            if c == '\\' {
                current.get_or_insert_default();
                backslashes += 1;
                continue;
            }
            let given = if c == '"' {
                backslashes / 2
            } else {
                backslashes
            };
            let escaped = backslashes % 2 == 1;
            if backslashes > 0 {
                current
                    .get_or_insert_default()
                    .extend(std::iter::repeat_n('\\', given));
            }
            backslashes = 0;
            match c {
                '"' if escaped => current.get_or_insert_default().push('"'),
                '"' => {
                    quoted = !quoted;
                    current.get_or_insert_default();
                }
                ' ' | '\t' if !quoted => arguments.extend(current.take()),
                _ => current.get_or_insert_default().push(c),
            }
        }
        if backslashes > 0 {
            current
                .get_or_insert_default()
                .extend(std::iter::repeat_n('\\', backslashes));
        }
        arguments.extend(current);
        arguments
    }

    #[test]
    fn known_cases() {
        let line = |arguments: &[&str]| {
            command_line(
                &arguments
                    .iter()
                    .map(|a| (*a).to_string())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(line(&["a", "b c", ""]), r#"a "b c" """#);
        assert_eq!(
            line(&[r"C:\x y\", r#"say "hi""#]),
            r#""C:\x y\\" "say \"hi\"""#
        );
    }

    #[test]
    fn a_line_names_its_program_in_quotes_or_up_to_any_space() {
        let all = |line| programs(line).collect::<Vec<_>>();
        assert_eq!(all(r#""C:\a b" c"#), [(r"C:\a b", " c")]);
        assert_eq!(
            all("a b\tc"),
            [("a", " b\tc"), ("a b", "\tc"), ("a b\tc", "")]
        );
        assert_eq!(all("\"a"), [("\"a", "")]);
        assert_eq!(all(""), []);
    }

    #[test]
    fn what_follows_is_left_as_it_is() {
        assert_eq!(after(r#""C:\a b\" x  "y z" "u" \v "#, 3), r#""u" \v "#);
        assert_eq!(after("a  b", 1), "b");
        assert_eq!(after("a", 1), "");
        assert_eq!(after("a", 3), "");
        assert_eq!(after("", 1), "");
    }

    proptest! {
        #[test]
        fn what_follows_quoted_arguments_is_found(
            arguments in proptest::collection::vec("[a\\\\\" \tb]{0,8}", 0..4),
            rest in "[ab\\\\][a\\\\\" b]{0,8}",
        ) {
            let mut all = vec!["C:\\pinion.exe".to_string()];
            all.extend(arguments);
            let line = format!("{} {rest}", command_line(&all));
            prop_assert_eq!(after(&line, all.len()), rest);
        }

        #[test]
        fn arguments_come_back(arguments in proptest::collection::vec("[a\\\\\" \tb]{0,8}", 1..5)) {
            prop_assert_eq!(take_apart(&command_line(&arguments)), arguments);
        }
    }
}
