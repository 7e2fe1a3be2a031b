//! HAProxy of the distribution in front of groups.

use crate::{Servers, at, get};
use pinion_e2e::eventually;
use pinion_harness::clients::Clients;
use pinion_harness::group::PAGE;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// HAProxy of the distribution, on the machine beside Wine; ended when dropped.
struct HaProxy(Child);

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn haproxy_fronts_groups_and_masks_one_that_is_killed() {
    let servers = Servers::new("hosts");
    let more = |status: u16| {
        format!("status = '127.0.0.1:{status}'\n[check]\ninterval = '300ms'\nfall = 1\n")
    };
    let files = [
        servers.file("host-a", 18_110, "replicas = 2", &more(18_111)),
        servers.file("host-b", 18_112, "replicas = 2", &more(18_113)),
    ];
    let rendered = |file: &str| {
        let hosts = ["--host", "a=127.0.0.1:18110", "--host", "b=127.0.0.1:18112"];
        let mut arguments = vec![
            "group",
            "render",
            "--haproxy",
            file,
            "--bind",
            "127.0.0.1:18114",
        ];
        arguments.extend(hosts);
        servers.world.pinion(arguments).run().expect(0).stdout
    };
    // Both hosts of this test are one, so that each has a status port of its own.
    let own = [rendered(&files[0]), rendered(&files[1])];
    let line = |text: &str, server: &str| {
        text.lines()
            .find(|line| line.contains(server))
            .expect("a server")
            .to_owned()
    };
    let text = own[0].replace(&line(&own[0], "server b "), &line(&own[1], "server b "));
    let path = servers.world.folder().join("haproxy.cfg");
    std::fs::write(&path, &text).expect("written");
    let groups = [
        servers.up(&files[0], "host-a"),
        servers.up(&files[1], "host-b"),
    ];
    let haproxy = Command::new("haproxy")
        .arg("-db")
        .arg("-f")
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _haproxy = HaProxy(haproxy.expect("haproxy, which ./x setup installs"));
    eventually(20, "HAProxy answers", || {
        (get(18_114, "/").0 == 200).then_some(())
    });
    let clients = Clients::start(at(18_114), "/", PAGE, 2, Duration::from_millis(5));
    servers
        .world
        .kill(u64::from(groups[0].status().expect("up").pid));
    std::thread::sleep(Duration::from_secs(3));
    // The other goes down in order: its status page says so, and HAProxy lets it drain.
    servers.world.pinion(["group", "up", &files[0]]).run().ok();
    std::thread::sleep(Duration::from_secs(2));
    groups[1].down().expect("down");
    std::thread::sleep(Duration::from_secs(1));
    let seen = clients.stop();
    assert!(seen.right > 50, "{seen:?}");
    assert_eq!((seen.wrong, seen.failed), (0, 0), "{seen:?}");
}
