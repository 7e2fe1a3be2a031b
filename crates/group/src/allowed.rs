//! Which changes a replica may make: patterns of files and keys, as NT compares names.

/// A path of a file or a key, or all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// In lower case, parts without empty ones; `*` in a part stands for any characters.
    parts: Vec<String>,
    /// Whether the pattern ended with `**`.
    below: bool,
}

/// The set of allowed changes; empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    files: Vec<Pattern>,
    keys: Vec<Pattern>,
}

impl Allowed {
    /// Allows changes of files: `C:\srv\logs\**`, `C:\srv\*.tmp`.
    ///
    /// # Errors
    /// What a pattern looks like.
    pub fn file(&mut self, pattern: &str) -> Result<(), String> {
        let drive = pattern.as_bytes();
        if !(drive.len() > 2
            && drive[0].is_ascii_alphabetic()
            && drive[1] == b':'
            && is_slash(drive[2]))
        {
            return Err(format!(
                "'{pattern}' is no whole path; write it with its drive, such as C:\\srv\\logs\\**"
            ));
        }
        self.files.push(Pattern::new(pattern)?);
        Ok(())
    }

    /// Allows changes of keys: `HKCU\Software\App\**`, `HKLM\…`.
    ///
    /// # Errors
    /// What a pattern looks like.
    pub fn key(&mut self, pattern: &str) -> Result<(), String> {
        let root = pattern.split('\\').next().unwrap_or("");
        if !["hklm", "hkcu", "hku"].contains(&root.to_ascii_lowercase().as_str()) {
            return Err(format!(
                "'{pattern}' is no key; it begins with HKLM\\, HKCU\\ or HKU\\"
            ));
        }
        self.keys.push(Pattern::new(pattern)?);
        Ok(())
    }

    /// Whether a file may be changed. A directory that holds something allowed may be, too: it is made
    /// on the way.
    #[must_use]
    pub fn has_file(&self, path: &str, directory: bool) -> bool {
        has(&self.files, path, directory)
    }

    /// Whether a key may be changed.
    #[must_use]
    pub fn has_key(&self, path: &str) -> bool {
        has(&self.keys, path, true)
    }
}

fn is_slash(byte: u8) -> bool {
    byte == b'\\' || byte == b'/'
}

fn parts(path: &str) -> Vec<String> {
    let parts = path.split(['\\', '/']).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}

fn has(patterns: &[Pattern], path: &str, holds: bool) -> bool {
    let path = parts(path);
    patterns.iter().any(|pattern| pattern.has(&path, holds))
}

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        let mut parts = parts(text);
        let below = parts.last().is_some_and(|last| last == "**");
        if below {
            parts.pop();
        }
        if parts.iter().any(|part| part.contains("**")) {
            return Err(format!(
                "'{text}': ** stands at the end only, for all that is below"
            ));
        }
        if parts.len() < 2 && below {
            return Err(format!(
                "'{text}' allows everything; name a folder or a key"
            ));
        }
        Ok(Self { parts, below })
    }

    fn has(&self, path: &[String], holds: bool) -> bool {
        let same = self
            .parts
            .iter()
            .zip(path)
            .all(|(pattern, part)| part_matches(pattern, part));
        if !same {
            return false;
        }
        match path.len().cmp(&self.parts.len()) {
            std::cmp::Ordering::Less => holds,
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Greater => self.below,
        }
    }
}

/// `*` for any characters, also none.
fn part_matches(pattern: &str, part: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or("");
    let Some(mut rest) = part.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_allow_what_they_say() {
        let mut allowed = Allowed::default();
        allowed.file(r"C:\srv\logs\**").unwrap();
        allowed.file(r"c:\srv\*.tmp").unwrap();
        allowed.key(r"HKCU\Software\App\**").unwrap();
        assert!(allowed.has_file(r"C:\SRV\Logs\a\b.log", false));
        assert!(allowed.has_file(r"C:\srv\logs", true));
        assert!(allowed.has_file(r"C:\srv", true));
        assert!(!allowed.has_file(r"C:\srv", false));
        assert!(allowed.has_file(r"C:\srv\x.tmp", false));
        assert!(!allowed.has_file(r"C:\srv\sub\x.tmp", false));
        assert!(!allowed.has_file(r"C:\srv\html\index.html", false));
        assert!(!allowed.has_file(r"D:\srv\logs\a", false));
        assert!(allowed.has_key(r"HKCU\SOFTWARE\App\x"));
        assert!(!allowed.has_key(r"HKLM\Software\App"));
        assert!(!Allowed::default().has_file(r"C:\a", false));
    }

    #[test]
    fn patterns_that_say_too_much_or_nothing_are_refused() {
        let mut allowed = Allowed::default();
        for wrong in [r"logs\**", r"C:\**", "C:", r"C:\a\**\b", r"C:\a**"] {
            assert!(allowed.file(wrong).is_err(), "{wrong}");
        }
        for wrong in [r"Software\x", r"HKLM\**", ""] {
            assert!(allowed.key(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_and_a_star_anything(text in "[a-c.]{0,8}", head in "[a-c.]{0,3}", tail in "[a-c.]{0,3}") {
            prop_assert!(part_matches(&text, &text));
            let whole = format!("{head}{text}{tail}");
            let (one, many) = (format!("{head}*{tail}"), format!("*{text}*"));
            prop_assert!(part_matches(&one, &whole));
            prop_assert!(part_matches(&many, &whole));
            prop_assert_eq!(part_matches(&head, &whole), head == whole);
        }
    }
}
