//! What a service process is started with: its command line with the environment put in, and the
//! system folder as its current directory, as the host's controller does.

use pinion_scm::Text;

/// The text with `%NAME%` replaced where NAME is set, as REG_EXPAND_SZ means it.
pub(super) fn expand(text: &Text) -> String {
    expand_with(&text.to_string(), |name| std::env::var(name).ok())
}

/// `%SystemRoot%\system32`, if there is a system root.
pub(super) fn system_folder() -> Option<String> {
    std::env::var("SystemRoot")
        .ok()
        .map(|root| format!(r"{root}\system32"))
}

fn expand_with(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let found = after
            .split_once('%')
            .and_then(|(name, rest)| Some((value(name)?, rest)));
        if let Some((value, following)) = found {
            expanded.push_str(&value);
            rest = following;
        } else {
            expanded.push('%');
            rest = after;
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_set_are_replaced() {
        let value = |name: &str| (name == "A").then(|| "1".to_string());
        assert_eq!(expand_with(r"%A%\x.exe", value), r"1\x.exe");
        assert_eq!(expand_with("%B%%A% 5%", value), "%B%1 5%");
        assert_eq!(expand_with("", value), "");
    }
}
