//! The user's desktop, where a VM may have its windows, and their mark there.

use serde::{Deserialize, Serialize};

/// The most units of a mark.
const MOST: usize = 32;

/// How a VM is on the user's desktop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desktop {
    /// What goes before the titles of its windows; none means its name in brackets,
    /// and an empty one that titles are left as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_mark: Option<String>,
}

impl Desktop {
    /// What goes before the titles of the windows of the VM `name`.
    #[must_use]
    pub fn mark(&self, name: &str) -> String {
        self.title_mark.clone().unwrap_or_else(|| {
            let name: String = name.chars().take(MOST - 3).collect();
            format!("[{name}] ")
        })
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let mark = self.title_mark.as_deref()?;
        if mark.encode_utf16().count() > MOST {
            return Some(format!("the mark '{mark}' has more than {MOST} units"));
        }
        let control = mark.chars().any(char::is_control);
        control.then(|| format!("the mark {mark:?} has a control character"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_what_was_said_or_the_name() {
        assert_eq!(Desktop::default().mark("web"), "[web] ");
        let title_mark = |mark: &str| Desktop {
            title_mark: Some(mark.into()),
        };
        assert_eq!(title_mark("# ").mark("web"), "# ");
        assert_eq!(title_mark("").mark("web"), "");
        assert!(
            Desktop::default()
                .mark(&"x".repeat(64))
                .encode_utf16()
                .count()
                <= MOST
        );
    }

    #[test]
    fn a_mark_is_short_and_is_text() {
        let fault = |mark: &str| {
            let title_mark = Some(mark.into());
            Desktop { title_mark }.fault()
        };
        assert_eq!(fault("[a] "), None);
        assert!(fault("a\tb").is_some_and(|why| why.contains("control")));
        assert!(fault(&"x".repeat(33)).is_some_and(|why| why.contains("32")));
    }
}
