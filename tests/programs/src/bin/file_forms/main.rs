//! Files by NT's own calls and by what tells their names: `file_forms OPERATION
//! [ ; OPERATION ]…` with `;` as an argument of its own. Prints one JSON array,
//! one answer for each operation. See `do_one` for the operations.

mod calls;
mod told;

use pinion_test_programs::{arguments, say, usage};
use serde_json::{Value, json};

fn main() {
    let arguments = arguments();
    let answers: Vec<Value> = arguments
        .split(|argument| argument == ";")
        .map(|operation| {
            let words: Vec<&str> = operation.iter().map(String::as_str).collect();
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
        ["list", directory, class, pattern, "one"] => calls::list(directory, class, pattern, true),
        ["list", directory, class, pattern] => calls::list(directory, class, pattern, false),
        ["told", path] => told::names(path),
        ["program"] => told::program(),
        _ => usage(
            "read NAME | read-in DIRECTORY NAME | write NAME TEXT | write-in DIRECTORY NAME TEXT | \
             open NAME HEXACCESS | attributes NAME | delete NAME | delete-on-close NAME | \
             list DIRECTORY CLASS PATTERN [one] | told PATH | program",
        ),
    }
}
