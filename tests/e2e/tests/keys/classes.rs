//! `HKEY_CLASSES_ROOT`: the machine's classes and the user's, seen as one.

use pinion_e2e::World;
use serde_json::Value;

const CLASS: &str = "PinionE2eClass";

/// Makes a class in each of the two, changes one through the merge, and takes both away.
const STORY: &[&[&str]] = &[
    &["key-get", "HKCR\\#", ""],
    &["key-create", "HKLM\\Software\\Classes\\#\\machine"],
    &["key-set", "HKLM\\Software\\Classes\\#", "", "machine"],
    &["key-set", "HKLM\\Software\\Classes\\#", "more", "machine"],
    &["key-get", "HKCR\\#", ""],
    &["key-create", "HKCU\\Software\\Classes\\#\\user"],
    &["key-set", "HKCU\\Software\\Classes\\#", "", "user"],
    &["key-get", "HKCR\\#", ""],
    &["key-get", "HKCR\\#", "more"],
    &["key-list", "HKCR\\#"],
    &["key-set", "HKCR\\#", "", "merged"],
    &["key-get", "HKLM\\Software\\Classes\\#", ""],
    &["key-get", "HKCU\\Software\\Classes\\#", ""],
    &["key-create", "HKCR\\#\\new"],
    &["key-list", "HKLM\\Software\\Classes\\#"],
    &["key-list", "HKCU\\Software\\Classes\\#"],
    &["key-delete", "HKCR\\#\\new"],
    &["key-delete", "HKCU\\Software\\Classes\\#\\user"],
    &["key-delete", "HKCU\\Software\\Classes\\#"],
    &["key-get", "HKCR\\#", ""],
    &["key-delete", "HKLM\\Software\\Classes\\#\\machine"],
    &["key-delete", "HKLM\\Software\\Classes\\#"],
    &["key-get", "HKCR\\#", ""],
];

#[test]
fn the_two_halves_of_the_classes_are_one_as_outside() {
    let world = World::new();
    let words: Vec<String> = STORY
        .join(&";")
        .into_iter()
        .map(|word| word.replace('#', CLASS))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = |value: Value| value.as_array().expect("answers").clone();
    let inside = told(world.run("files_keys", &words).expect(0).json());
    // The host's has none of it yet.
    let outside = told(
        world
            .host
            .program("files_keys")
            .args(&words)
            .run()
            .expect(0)
            .json(),
    );
    for ((inside, outside), words) in inside.iter().zip(&outside).zip(STORY) {
        assert_eq!(inside, outside, "{words:?}");
    }
    assert_eq!(inside[4]["value"], "machine");
    assert_eq!(inside.len(), STORY.len());
}
