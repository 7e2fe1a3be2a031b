//! Waiting for changes of directories by NT's own call, and changing them:
//! `watches OPERATION [ ; OPERATION ]…`, `;` being an argument of its own. Prints
//! one JSON array, one answer for each. `H` is any word that names a handle of a
//! directory, `R` one that names a request.

mod changes;
mod requests;

use pinion_test_programs::{arguments, say, usage};
use requests::Watches;
use serde_json::Value;

fn run(watches: &mut Watches, words: &[&str]) -> Value {
    match *words {
        ["open", name, path] => watches.open(name, path, false),
        ["open", name, path, "sync"] => watches.open(name, path, true),
        ["port", name] => watches.port(name),
        ["duplicate", copy, name] => watches.duplicate(copy, name),
        ["close", name] => watches.close(name),
        ["watch", request, name, filter, tree, how, length] => {
            let (Ok(filter), length) = (u32::from_str_radix(filter, 16), length.parse().ok()) else {
                return Value::Null;
            };
            watches.watch(request, name, (filter, tree == "tree"), how, length)
        }
        ["told", request] => watches.told(request),
        ["pending", request] => watches.pending(request),
        ["until", request, last] => watches.until(request, last),
        ["cancel", name] => watches.cancel(name),
        ["cancel-one", request] => watches.cancel_one(request),
        ["say", word] => {
            say(&Value::from(word));
            Value::Null
        }
        _ => changes::change(words).unwrap_or_else(|| {
            usage(
                "watches open H P [sync] | port H | duplicate H H | close H | \
                 watch R H FILTER tree|flat event|handle|apc|port LENGTH|none | told R | pending R | \
                 until R NAME | cancel H | cancel-one R | say WORD | write P TEXT | append P TEXT | \
                 delete P | rename P Q | make P | remove P | hide P | list P | find P [ ; … ]",
            )
        }),
    }
}

fn main() {
    let arguments = arguments();
    let mut watches = Watches::default();
    let answers: Vec<Value> = arguments
        .split(|word| word == ";")
        .map(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            run(&mut watches, &words)
        })
        .collect();
    say(&Value::Array(answers));
}
