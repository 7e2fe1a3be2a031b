//! A program in the foreground: exit code, stdin, stdout, stderr, arguments,
//! variables, current folder, Ctrl-C.

use pinion_e2e::World;

#[test]
fn the_exit_code_is_passed_on() {
    let world = World::new();
    for code in [0, 1, 3, 120, 255] {
        let _ = world
            .run("echo_stdio", &["--exit", &code.to_string()])
            .expect(code);
    }
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn all_32_bits_of_the_exit_code_are_kept() {
    let world = World::new();
    let echo = world.host.path_of("echo_stdio");
    let run = world
        .pinion(["run", "--name", "web", &echo, "--exit", "3221225477"])
        .run();
    let _ = run.expect(5);
    let waited = world.pinion(["wait", "web"]).run().expect(0);
    assert_eq!(waited.stdout.trim(), "-1073741819");
    let json = world
        .pinion(["wait", "--json", "web"])
        .run()
        .expect(0)
        .json();
    assert_eq!(json["exit_code"], -1_073_741_819);
}

#[test]
fn stdin_stdout_and_stderr_are_the_programs() {
    let world = World::new();
    let echo = world.host.path_of("echo_stdio");
    let text = "one\ntwo \u{e4}\u{2192}\n".repeat(5000);
    let output = world
        .pinion(["run", "--rm", &echo, "cat"])
        .input(&text)
        .run()
        .expect(0);
    assert!(
        output.stdout == text,
        "{} bytes came back of {}",
        output.stdout.len(),
        text.len()
    );
    let output = world.run("echo_stdio", &["err", "to", "stderr"]).expect(0);
    assert_eq!(output.stderr.trim(), "to stderr");
    assert_eq!(output.stdout, "");
}

#[test]
fn arguments_arrive_as_they_are() {
    let world = World::new();
    let odd = [
        "",
        "a b",
        "\"",
        "\\",
        "c:\\x y\\",
        "a\\\"b",
        "--name",
        "-d",
        "%PATH%",
        "ä→",
    ];
    let mut arguments = vec!["show"];
    arguments.extend(odd);
    let answer = world.run("echo_stdio", &arguments).expect(0).json();
    assert_eq!(answer["arguments"], serde_json::json!(odd));
}

#[test]
fn options_after_the_program_are_its_own() {
    let world = World::new();
    let answer = world
        .run("echo_stdio", &["--exit", "7", "show", "--name", "-p"])
        .expect(7)
        .json();
    assert_eq!(answer["arguments"], serde_json::json!(["--name", "-p"]));
    let echo = world.host.path_of("echo_stdio");
    world
        .pinion(["run", "--rm", "--", &echo, "--exit", "0"])
        .run()
        .ok();
}

#[test]
fn variables_and_the_current_folder_are_set() {
    let world = World::new();
    let echo = world.host.path_of("echo_stdio");
    let show = [&echo, "show", "ONE", "TWO", "THREE", "PATH"];
    let options = [
        "run",
        "--rm",
        "-e",
        "ONE=1=1",
        "-e",
        "TWO",
        "-w",
        "C:\\windows",
    ];
    let output = world
        .pinion(options)
        .args(show)
        .env("TWO", "handed on")
        .env("THREE", "inherited");
    let answer = output.run().expect(0).json();
    assert_eq!(answer["env"]["ONE"], "1=1");
    assert_eq!(answer["env"]["TWO"], "handed on");
    assert_eq!(answer["env"]["THREE"], "inherited");
    assert!(answer["env"]["PATH"].is_string());
    assert_eq!(
        answer["cwd"].as_str().map(str::to_lowercase).as_deref(),
        Some("c:\\windows")
    );
    let answer = world
        .pinion(["run", "--rm"])
        .args(show)
        .run()
        .expect(0)
        .json();
    assert_eq!(answer["cwd"], world.windows_work());
}

#[test]
fn ctrl_c_goes_to_the_program() {
    let world = World::new();
    let ctrl_c = world.host.path_of("ctrl_c");
    let pinion = world.pinion_path();
    // The helper makes a console, as these tests have none; the program inside
    // sends Ctrl-C to all of it, pinion.exe too.
    let run = [
        "console", &pinion, "run", "--name", "web", &ctrl_c, "self", "10",
    ];
    let output = world.in_world(world.host.program("ctrl_c")).args(run).run();
    let output = output.expect(7);
    assert_eq!(output.json()["ctrl_c"], true, "{output:?}");
    let waited = world.pinion(["wait", "web"]).run().expect(0);
    assert_eq!(waited.stdout.trim(), "7");
    // By the group's id, which is that of a process outside.
    let run = [
        "console", &pinion, "run", "--name", "group", &ctrl_c, "group", "10",
    ];
    let output = world.in_world(world.host.program("ctrl_c")).args(run).run();
    assert_eq!(output.expect(7).json()["ctrl_c"], true);
}

#[test]
fn without_a_console_a_program_runs_as_well() {
    let world = World::new();
    let answer = world.run("ctrl_c", &["wait", "0"]).expect(1).json();
    assert_eq!(answer["ctrl_c"], false);
}
