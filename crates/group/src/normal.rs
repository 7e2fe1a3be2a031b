//! What of two answers is compared.
//!
//! Sound replicas answer alike but for what time and chance put in: those are left out, and no more.
//! What is left out is not protected by the vote: a replica that lies can say there what it likes.

use std::collections::BTreeSet;

use regex::bytes::Regex;

/// Headers that are left out by default: the server's clock and name, what it makes up for caches,
/// and how the message is framed on its way.
const IGNORED: [&str; 8] = [
    "connection",
    "date",
    "etag",
    "keep-alive",
    "proxy-connection",
    "server",
    "trailer",
    "transfer-encoding",
];
const COOKIE: &str = "set-cookie";
const LENGTH: &str = "content-length";

/// The longest pattern in characters.
const LONGEST_PATTERN: usize = 1_000;
/// The most memory of a pattern in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// What is left out of the comparison.
#[derive(Debug, Clone)]
pub struct Rules {
    ignored: BTreeSet<String>,
    cookies: bool,
    body: Vec<Regex>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            ignored: IGNORED.into_iter().map(str::to_owned).collect(),
            cookies: false,
            body: Vec::new(),
        }
    }
}

/// What is compared of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normal {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Rules {
    /// Leaves a header out, in any case of its name.
    pub fn ignore_header(&mut self, name: &str) {
        self.ignored.insert(name.to_ascii_lowercase());
    }

    /// Compares a header that is left out by default; `Set-Cookie` then with its values.
    pub fn compare_header(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        self.cookies |= name == COOKIE;
        self.ignored.remove(&name);
    }

    /// Leaves out what in a body matches the pattern: its groups, or all of it when it has none.
    ///
    /// # Errors
    /// It is no regular expression, or too large a one.
    pub fn ignore_body(&mut self, pattern: &str) -> Result<(), String> {
        if pattern.is_empty() || pattern.chars().count() > LONGEST_PATTERN {
            return Err(format!("a pattern has 1 to {LONGEST_PATTERN} characters"));
        }
        let built = regex::bytes::RegexBuilder::new(pattern)
            .size_limit(PATTERN_SIZE)
            .build();
        let regex = built.map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or("").trim();
            format!(
                "no regular expression: {}",
                last.trim_start_matches("error: ")
            )
        })?;
        self.body.push(regex);
        Ok(())
    }

    /// What of an answer is compared. Names of headers may come in any case and order; those of one
    /// name keep theirs.
    #[must_use]
    pub fn normal<'a>(
        &self,
        status: u16,
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
        body: &[u8],
    ) -> Normal {
        let body = self.body(body);
        let mut kept = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            // A body that is cut differs in its length; what is left of it is compared.
            if self.ignored.contains(&name) || (name == LENGTH && !self.body.is_empty()) {
                continue;
            }
            let value = if name == COOKIE && !self.cookies {
                cookie(value)
            } else {
                value.trim_ascii().to_vec()
            };
            kept.push((name, value));
        }
        // A stable sort: the order among values of one name counts.
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        Normal {
            status,
            headers: kept,
            body,
        }
    }

    fn body(&self, body: &[u8]) -> Vec<u8> {
        let mut kept = body.to_vec();
        for pattern in &self.body {
            let mut cut: Vec<(usize, usize)> = Vec::new();
            for found in pattern.captures_iter(&kept) {
                let whole = found.get(0).map(|all| (all.start(), all.end()));
                let groups = found
                    .iter()
                    .skip(1)
                    .flatten()
                    .map(|part| (part.start(), part.end()));
                if pattern.captures_len() > 1 {
                    cut.extend(groups);
                } else {
                    cut.extend(whole);
                }
            }
            kept = without(&kept, cut);
        }
        kept
    }
}

/// The bytes without those of the ranges, which may overlap. A mark stays, so that what was cut
/// away is not the same as what never was there.
fn without(bytes: &[u8], mut cut: Vec<(usize, usize)>) -> Vec<u8> {
    cut.sort_unstable();
    let (mut kept, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for (start, end) in cut {
        if start >= at {
            kept.extend_from_slice(bytes.get(at..start).unwrap_or_default());
            kept.push(0);
        }
        at = at.max(end);
    }
    kept.extend_from_slice(bytes.get(at..).unwrap_or_default());
    kept
}

/// A cookie without its value and its times: sessions are made up by chance.
fn cookie(value: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for (place, part) in value.split(|byte| *byte == b';').enumerate() {
        let part = part.trim_ascii();
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if place == 0 {
            kept.extend_from_slice(name);
        } else if !is(b"expires") && !is(b"max-age") {
            kept.push(b';');
            kept.extend_from_slice(part);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Headers = Vec<(&'static str, &'static [u8])>;

    fn normal(rules: &Rules, headers: &Headers, body: &[u8]) -> Normal {
        rules.normal(200, headers.iter().copied(), body)
    }

    #[test]
    fn times_names_and_chance_make_no_difference() {
        let rules = Rules::default();
        let one: Headers = vec![
            ("Date", b"Mon"),
            ("Server", b"a"),
            ("ETag", b"\"1\""),
            ("Set-Cookie", b"id=1; Path=/; Expires=Mon"),
            ("Content-Type", b"text/plain"),
        ];
        let other: Headers = vec![
            ("content-type", b" text/plain"),
            ("set-cookie", b"id=2; Path=/; Max-Age=7"),
            ("date", b"Tue"),
        ];
        assert_eq!(normal(&rules, &one, b"x"), normal(&rules, &other, b"x"));
    }

    #[test]
    fn all_else_makes_one() {
        let rules = Rules::default();
        let base: Headers = vec![("set-cookie", b"id=1; Path=/")];
        let is = |headers: &Headers, body: &[u8]| {
            normal(&rules, headers, body) == normal(&rules, &base, b"x")
        };
        assert!(is(&base, b"x"));
        assert!(!is(&base, b"y"));
        assert!(!is(&vec![("set-cookie", b"other=1; Path=/")], b"x"));
        assert!(!is(&vec![("set-cookie", b"id=1; Path=/admin")], b"x"));
        assert!(!is(
            &vec![("set-cookie", b"id=1; Path=/"), ("x-a", b"")],
            b"x"
        ));
        let mut strict = Rules::default();
        strict.compare_header("Set-Cookie");
        let other: Headers = vec![("set-cookie", b"id=2; Path=/")];
        assert_ne!(normal(&strict, &base, b""), normal(&strict, &other, b""));
        assert_ne!(
            rules.normal(200, base.iter().copied(), b""),
            rules.normal(404, base.iter().copied(), b"")
        );
    }

    #[test]
    fn own_rules_leave_out_what_they_name() {
        let mut rules = Rules::default();
        rules.ignore_header("X-Request-Id");
        rules.ignore_body("token=([0-9a-f]+)").unwrap();
        rules.ignore_body("<!-- [^>]* -->").unwrap();
        let one: Headers = vec![("x-request-id", b"1"), ("content-length", b"31")];
        let other: Headers = vec![("X-REQUEST-ID", b"2"), ("content-length", b"33")];
        let (a, b) = (
            b"a token=12f b <!-- 1 --> c",
            b"a token=9a02 b <!-- 22 --> c",
        );
        assert_eq!(normal(&rules, &one, a), normal(&rules, &other, b));
        let c = b"a token=9a02 b <!-- 22 --> d";
        assert_ne!(normal(&rules, &one, a), normal(&rules, &other, c));
        // Nothing where something was cut is another answer.
        assert_ne!(
            normal(&rules, &one, b"token=1"),
            normal(&rules, &one, b"token=")
        );
        assert!(rules.ignore_body("(").is_err());
        assert!(rules.ignore_body("").is_err());
        assert!(rules.ignore_body("(a{1000}){1000}").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_and_equal_ones_are_equal(body in proptest::collection::vec(any::<u8>(), 0..200), value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut rules = Rules::default();
            rules.ignore_body("[a-z]+([0-9]*)").unwrap();
            let headers = [("set-cookie", value.as_slice()), ("x", value.as_slice())];
            let one = rules.normal(200, headers.into_iter(), &body);
            let other = rules.normal(200, headers.into_iter().rev(), &body);
            prop_assert_eq!(one, other);
        }

        #[test]
        fn without_rules_a_body_is_compared_to_the_byte(a in proptest::collection::vec(any::<u8>(), 0..20), b in proptest::collection::vec(any::<u8>(), 0..20)) {
            let rules = Rules::default();
            let same = normal(&rules, &vec![], &a) == normal(&rules, &vec![], &b);
            prop_assert_eq!(same, a == b);
        }
    }
}
