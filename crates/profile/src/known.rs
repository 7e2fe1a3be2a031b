//! The profiles that come with Pinion: the files of `profiles/`.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What it is called.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(Known { name: $name, text: include_str!(concat!("../../../profiles/", $name, ".toml")) }),*]
    };
}

/// All of them, by name.
#[must_use]
pub fn known() -> &'static [Known] {
    files!("http-sys" "iis" "nginx" "node")
}

/// The one of this name, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Known> {
    known()
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn all_are_sound_and_in_order() {
        for known in known() {
            let profile = Profile::parse(known.text).unwrap_or_else(|faults| {
                panic!("{}: {}", known.name, faults[0]);
            });
            assert!(!profile.description.is_empty() && !profile.ran_on.is_empty());
        }
        assert!(known().is_sorted_by_key(|known| known.name));
        assert_eq!(find("NGINX").map(|known| known.name), Some("nginx"));
        assert_eq!(find("apache"), None);
    }

    #[test]
    fn every_file_of_the_folder_is_one() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../profiles");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("profiles/")
            .map(|entry| entry.expect("an entry").file_name())
            .filter_map(|name| name.to_str()?.strip_suffix(".toml").map(String::from))
            .collect();
        names.sort();
        let listed: Vec<&str> = known().iter().map(|known| known.name).collect();
        assert_eq!(names, listed);
    }
}
