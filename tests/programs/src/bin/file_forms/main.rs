//! Files by NT's own calls and by what tells their names: `file_forms OPERATION
//! [ ; OPERATION ]…` with `;` as an argument of its own. Prints one JSON array,
//! one answer for each operation. See `do_one` for the operations. `TEXT{N}` in a
//! word stands for the last part of TEXT, from its last backslash on or its last
//! unit, N times: a command line cannot hold the longest names.

mod calls;
mod forms;
mod handle;
mod told;

use pinion_test_programs::{arguments, say, usage};
use serde_json::{Value, json};

fn main() {
    let arguments = arguments();
    let answers: Vec<Value> = arguments
        .split(|argument| argument == ";")
        .map(|operation| {
            let words: Vec<String> = operation.iter().map(|word| expand(word)).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            do_one(&words)
        })
        .collect();
    say(&json!(answers));
}

fn do_one(words: &[&str]) -> Value {
    match *words {
        ["read", name] => calls::read(None, name),
        ["read-in", directory, name] => calls::read(Some(directory), name),
        ["write", name, text] => calls::write(None, name, text),
        ["write-in", directory, name, text] => calls::write(Some(directory), name, text),
        ["open", name, access] => calls::open_for(name, access),
        ["attributes", name] => calls::attributes(name),
        ["delete", name] => calls::delete(name),
        ["delete-on-close", name] => calls::delete_on_close(name),
        ["by-handle", name, ref steps @ ..] => handle::steps(name, 0, steps),
        ["by-handle-on-close", name, ref steps @ ..] => {
            handle::steps(name, handle::DELETE_ON_CLOSE, steps)
        }
        ["by-handle-alone", name, ref steps @ ..] => handle::steps_alone(name, steps),
        ["list", directory, class, pattern, "one"] => calls::list(directory, class, pattern, true),
        ["list", directory, class, pattern] => calls::list(directory, class, pattern, false),
        ["short", directory, name] => forms::short(directory, name),
        ["by-id", name, access] => forms::by_id(name, access),
        ["volume", name, class] => forms::volume(name, class),
        ["control", name, code] => forms::control(name, code),
        ["told", path] => told::names(path),
        ["program"] => told::program(),
        _ => usage(
            "read NAME | read-in DIRECTORY NAME | write NAME TEXT | write-in DIRECTORY NAME TEXT | \
             open NAME HEXACCESS | attributes NAME | delete NAME | delete-on-close NAME | \
             by-handle[-on-close|-alone] NAME STEP… | list DIRECTORY CLASS PATTERN [one] | short DIRECTORY NAME | by-id NAME HEXACCESS | \
             volume NAME CLASS | control NAME HEXCODE | \
             told PATH | program",
        ),
    }
}

fn expand(word: &str) -> String {
    let Some((text, count)) = word
        .strip_suffix('}')
        .and_then(|word| word.rsplit_once('{'))
    else {
        return word.to_owned();
    };
    let at = text.rfind('\\').unwrap_or(text.len().saturating_sub(1));
    let (head, part) = text.split_at(at);
    format!("{head}{}", part.repeat(count.parse().unwrap_or(0)))
}
