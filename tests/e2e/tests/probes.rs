//! The probes of the product, held against what the catalogue promises.

use pinion_e2e::World;
use serde_json::Value;
use std::collections::BTreeMap;

/// The states of the channels, by name.
fn states(world: &World) -> BTreeMap<String, String> {
    let told = world.pinion(["channels", "--json"]).run().expect(0).json();
    let all = told.as_array().expect("a list").iter();
    all.map(|one| (text(one, "channel"), text(one, "state")))
        .collect()
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

#[test]
fn no_way_of_a_confined_channel_leads_out_or_fails_inside() {
    let world = World::new();
    let states = states(&world);
    let confined = states.iter().filter(|(_, state)| *state == "confined");
    let mut verify = vec!["verify".to_owned(), "--json".to_owned()];
    // The local channel is none.
    for (channel, _) in confined.filter(|(channel, _)| *channel != "local") {
        verify.extend(["--channel".to_owned(), channel.clone()]);
    }
    let output = world.pinion(verify).limit(240).run();
    let report = output.json();
    let rows = report["rows"].as_array().expect("rows");
    let failed: Vec<&Value> = rows.iter().filter(|row| row["result"] == "fail").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(output.code, 0, "{output:#?}");
    let ok = rows.iter().filter(|row| row["result"] == "ok").count();
    assert!(ok >= 80, "only {ok} ways were shown: {report:#}");
    assert!(world.names().is_empty(), "a VM is left");
}

#[test]
fn what_is_not_ok_says_why_and_the_exit_code_tells_of_failures() {
    let world = World::new();
    let output = world
        .pinion(["verify", "--quick", "--json", "--channel", "known-dlls"])
        .limit(120)
        .run();
    let report = output.json();
    let rows = report["rows"].as_array().expect("rows");
    assert!(!rows.is_empty());
    let fails = |row: &Value| row["result"] == "fail";
    for row in rows.iter().filter(|row| row["result"] != "ok") {
        assert!(!text(row, "detail").is_empty(), "{row}");
        assert_eq!(fails(row), !text(row, "todo").is_empty(), "{row}");
    }
    let expected = if rows.iter().any(fails) { 125 } else { 0 };
    assert_eq!(output.code, expected);
}

#[test]
fn what_is_not_known_is_told() {
    let world = World::new();
    let output = world.pinion(["verify", "--channel", "telepathy"]).run();
    assert_eq!(output.code, 2, "{output:#?}");
}
