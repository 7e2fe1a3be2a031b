//! Makes one command line of arguments, by the rules that
//! `CommandLineToArgvW` and the C runtime take it apart with.

/// One command line of `arguments`, the program first, in UTF-16 units without
/// an end.
pub fn command_line<'a>(arguments: impl IntoIterator<Item = &'a [u16]>) -> Vec<u16> {
    let mut line = Vec::new();
    for (index, argument) in arguments.into_iter().enumerate() {
        if index > 0 {
            line.push(SPACE);
        }
        push_quoted(&mut line, argument);
    }
    line
}

const SPACE: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;
const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;

fn push_quoted(line: &mut Vec<u16>, argument: &[u16]) {
    let plain = !argument.is_empty() && !argument.iter().any(|u| matches!(*u, SPACE | TAB | QUOTE));
    if plain {
        line.extend_from_slice(argument);
        return;
    }
    line.push(QUOTE);
    let mut backslashes = 0;
    for &unit in argument {
        if unit == BACKSLASH {
            backslashes += 1;
        } else {
            // Backslashes count double before a quote, and only there.
            if unit == QUOTE {
                line.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
            }
            backslashes = 0;
        }
        line.push(unit);
    }
    line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
    line.push(QUOTE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the documented rules make of a command line.
    fn take_apart(line: &str) -> Vec<String> {
        let (mut all, mut one) = (Vec::new(), String::new());
        let (mut quoted, mut started) = (false, false);
        let units: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < units.len() {
            let run = units[at..].iter().take_while(|c| **c == '\\').count();
            at += run;
            let next = units.get(at).copied();
            if run > 0 {
                started = true;
                let kept = if next == Some('"') { run / 2 } else { run };
                one.extend(std::iter::repeat_n('\\', kept));
                if next == Some('"') && run % 2 == 1 {
                    one.push('"');
                    at += 1;
                }
                continue;
            }
            match next {
                Some('"') => (quoted, started) = (!quoted, true),
                Some(' ' | '\t') if !quoted => {
                    all.extend(started.then(|| std::mem::take(&mut one)));
                    started = false;
                }
                Some(c) => {
                    one.push(c);
                    started = true;
                }
                None => {}
            }
            at += 1;
        }
        if started {
            all.push(one);
        }
        all
    }

    fn joined(arguments: &[String]) -> String {
        let wide: Vec<Vec<u16>> = arguments
            .iter()
            .map(|a| a.encode_utf16().collect())
            .collect();
        String::from_utf16(&command_line(wide.iter().map(Vec::as_slice))).expect("UTF-16")
    }

    #[test]
    fn known_lines() {
        let line = |all: &[&str]| joined(&all.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        assert_eq!(line(&["a", "b c", ""]), r#"a "b c" """#);
        assert_eq!(
            line(&[r"C:\x y\", r#"say "hi""#]),
            r#""C:\x y\\" "say \"hi\"""#
        );
        assert_eq!(line(&[r"C:\x\"]), r"C:\x\");
    }

    proptest! {
        #[test]
        fn arguments_come_back(all in proptest::collection::vec("[a\\\\\" \t]{0,8}", 1..5)) {
            prop_assert_eq!(take_apart(&joined(&all)), all);
        }
    }
}
