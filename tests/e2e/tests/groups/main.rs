//! Groups of replicas through the real command line, a file for each idea. What is pure, and the front
//! itself, is tested natively.

mod fronted;
mod haproxy;
mod noticed;
mod whole;
mod written;

use pinion_e2e::World;
use pinion_harness::group::{Group, PAGE};
use pinion_harness::wine::windows_path;
use pinion_harness::{Wine, nginx};
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// A world with an nginx of its own, which all replicas run from.
struct Servers {
    world: World,
    wine: Wine,
    folder: String,
    unix: PathBuf,
}

impl Servers {
    fn new(test: &str) -> Self {
        let world = World::new();
        let mut wine = Wine::from_env().expect("a Wine");
        wine.set("PINION_ROOT", &windows_path(&world.store()));
        let folder = format!("pinion-e2e-{test}");
        let configuration = "worker_processes 1;
events { worker_connections 64; }
http { include mime.types; server { listen 8091; location / { root html; } } }
";
        let unix = nginx::lay(&wine, &folder, configuration).expect("laid");
        std::fs::write(unix.join("html").join("index.html"), PAGE).expect("a page");
        Self {
            world,
            wine,
            folder: format!("C:\\{folder}"),
            unix,
        }
    }

    /// A group's file; `port` is the front's. `top` goes before its tables, `more` after its `[front]`.
    fn file(&self, name: &str, port: u16, top: &str, more: &str) -> String {
        let folder = &self.folder;
        let text = format!(
            "command = ['{folder}\\nginx.exe']\nworkdir = '{folder}'\nport = 8091\n{top}\n[front]\nlisten = '127.0.0.1:{port}'\n{more}\n"
        );
        self.world.file(&format!("{name}.toml"), text.as_bytes())
    }

    fn page(&self) -> String {
        format!("{}\\html\\index.html", self.folder)
    }

    fn up(&self, file: &str, name: &str) -> Group<'_> {
        Group::up(&self.wine, file, name).unwrap_or_else(|error| {
            let events = self.world.pinion(["group", "events", name]).run();
            panic!("the group does not come up: {error:#}\n{}", events.stdout)
        })
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = nginx::remove(&self.unix);
    }
}

fn at(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, port)
}

/// The status of a GET, and the body.
fn get(port: u16, path: &str) -> (u16, String) {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(at(port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(
            format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().unwrap_or_default();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or(0), body.to_owned())
}
