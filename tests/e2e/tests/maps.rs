//! Maps: the picture of who talks to whom, opened in a real browser.

use pinion_e2e::World;
use std::path::Path;
use std::process::Command;

/// A name that would be markup if it were not escaped.
const HOSTILE: &str = "</script><script>document.title='taken'</script>";

/// What Chromium makes of the page when it has run its script.
fn browser(page: &Path, fragment: &str, arguments: &[&str]) -> String {
    let browser = std::env::var("PINION_BROWSER").unwrap_or_else(|_| "chromium".into());
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new(&browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1600,1000",
        ])
        .arg("--virtual-time-budget=4000")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}#{fragment}", page.display()))
        .output()
        .unwrap_or_else(|error| panic!("{browser}: {error}; ./x test brings it"));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The value of one of the page's marks.
fn mark<'d>(dom: &'d str, name: &str) -> &'d str {
    let begin = format!("data-{name}=\"");
    let body = &dom[dom.find("<body").expect("a body")..];
    let rest = &body[body
        .find(&begin)
        .unwrap_or_else(|| panic!("no {name}: {body:.300}"))
        + begin.len()..];
    &rest[..rest.find('"').expect("an end")]
}

/// How many pixels of the picture are nearly of this colour.
fn pixels(picture: &Path, colour: [u8; 3]) -> usize {
    let file = std::fs::File::open(picture).expect("a picture");
    let mut reader = png::Decoder::new(std::io::BufReader::new(file))
        .read_info()
        .expect("PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bytes).expect("an image");
    let step = info.color_type.samples();
    let near = |pixel: &&[u8]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 12);
    bytes[..info.buffer_size()]
        .chunks(step)
        .filter(near)
        .count()
}

#[test]
fn the_page_shows_who_talks_to_whom_in_a_browser() {
    let world = World::new();
    let names = world.host.path_of("names");
    let serve = [
        "create",
        "pipe:\\\\.\\pipe\\mapped",
        "mutant:mapped-m",
        "--hold",
        "60",
    ];
    world
        .pinion([
            "run",
            "-d",
            "--trace",
            "--name",
            "web",
            "--deny",
            "objects=*script*",
            &names,
        ])
        .args(serve)
        .run()
        .ok();
    let open = |kind: &str, name: &str| {
        let opened = world
            .exec("web", "names", &["open", kind, name])
            .expect(0)
            .json();
        opened["error"].as_u64()
    };
    while open("mutant", "mapped-m") != Some(0) {}
    assert_eq!(open("mutant", HOSTILE), Some(5));
    // What is recorded is kept within a moment.
    let kept = || {
        let told = world
            .pinion(["trace", "--all", "--verdict", "refused", "web"])
            .run()
            .expect(0);
        told.stdout.contains("script")
    };
    while !kept() {}
    let page = world.windows_work() + "\\map.html";
    world.pinion(["map", "web", "-o", &page]).run().ok();
    let page = world.work().join("map.html");

    let dom = browser(&page, "", &["--dump-dom"]);
    assert!(
        dom.contains("<title>pinion map: web</title>"),
        "{dom:.2000}"
    );
    let edges = mark(&dom, "lines").parse::<u32>().expect("a count");
    assert!(edges >= 2, "{}", mark(&dom, "ready"));
    // Only what is refused, only one name; and what is chosen is told.
    let refused = browser(&page, "refused", &["--dump-dom"]);
    let lines = mark(&refused, "lines").parse::<u32>().expect("a count");
    // A console host may have been refused something, too.
    assert!((1..edges).contains(&lines), "{lines} of {edges}");
    let one = browser(&page, "filter=mapped-m", &["--dump-dom"]);
    assert_eq!(mark(&one, "lines"), "1");
    let chosen = (0..edges).map(|edge| browser(&page, &format!("edge={edge}"), &["--dump-dom"]));
    let told: Vec<String> = chosen
        .map(|dom| {
            let about =
                &dom[dom.find("<aside").expect("a side")..dom.find("</aside>").expect("its end")];
            about.to_owned()
        })
        .collect();
    assert!(
        told.iter().any(|about| about.contains("mapped-m")),
        "{told:#?}"
    );
    assert!(
        told.iter().any(|about| about.contains("&lt;script&gt;")),
        "{told:#?}"
    );

    let picture = world.work().join("map.png");
    browser(&page, "", &[&format!("--screenshot={}", picture.display())]);
    // The border of the VM, and the red of what is refused.
    assert!(pixels(&picture, [0x5b, 0x8d, 0xb8]) > 300);
    assert!(pixels(&picture, [0xd3, 0x2f, 0x2f]) > 50);
    assert!(pixels(&picture, [0xff, 0xff, 0xff]) > 100_000);
}

#[test]
fn other_forms_of_the_picture_name_the_same() {
    let world = World::new();
    let names = world.host.path_of("names");
    world
        .pinion([
            "run",
            "--trace",
            "--name",
            "web",
            "--deny",
            "objects=mapped-*",
            &names,
        ])
        .args(["open", "mutant", "mapped-x"])
        .run()
        .ok();
    for form in ["svg", "dot", "json"] {
        let told = world
            .pinion(["map", "web", "--format", form])
            .run()
            .expect(0);
        assert!(told.stdout.contains("mapped-x"), "{form}: {told:#?}");
    }
    let kept = world.vm_folder("web").join("logs").join("events.trace");
    assert!(kept.exists(), "{kept:?}");
    world.sleeper("idle", 30);
    world
        .pinion(["map", "idle"])
        .run()
        .fails(125, &["nothing was recorded"]);
}
