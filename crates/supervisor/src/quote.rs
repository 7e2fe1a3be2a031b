//! One command line out of a program and its arguments, as the Microsoft C runtime takes it apart.

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

    proptest! {
        #[test]
        fn arguments_come_back(arguments in proptest::collection::vec("[a\\\\\" \tb]{0,8}", 1..5)) {
            prop_assert_eq!(take_apart(&command_line(&arguments)), arguments);
        }
    }
}
