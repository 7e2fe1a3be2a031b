//! The demo's figures, for people and for machines.

use crate::{folder, leftovers};
use anyhow::{Result, bail};
use comfy_table::Table;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::path::Path;

/// One VM's row.
#[derive(Debug, Clone, Serialize)]
pub struct Vm {
    pub name: String,
    pub address: Ipv4Addr,
    pub rpcss_pid: u32,
    pub server_pids: Vec<u32>,
    pub first_byte_ms: u64,
    pub requests_per_s: f64,
    pub files_changed: u64,
    pub keys_changed: u64,
    pub names_private: u64,
    pub page: String,
}

impl Default for Vm {
    fn default() -> Self {
        Self {
            name: String::new(),
            address: Ipv4Addr::UNSPECIFIED,
            rpcss_pid: 0,
            server_pids: Vec::new(),
            first_byte_ms: 0,
            requests_per_s: 0.0,
            files_changed: 0,
            keys_changed: 0,
            names_private: 0,
            page: String::new(),
        }
    }
}

/// All that the demo found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub wine: String,
    pub vms: Vec<Vm>,
    pub second_copy_on_host: String,
    pub host_changed: Vec<String>,
    pub left_behind: Vec<String>,
}

impl Report {
    /// A report about nothing yet.
    pub fn new(wine: String) -> Self {
        Self {
            wine,
            ..Self::default()
        }
    }

    /// Prints the table and what became of the host.
    pub fn print(&self) {
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_header([
            "VM",
            "address",
            "server pids",
            "RPCSS pid",
            "ms to first byte",
            "requests/s",
            "files changed",
            "keys changed",
            "names private",
            "page",
        ]);
        for vm in &self.vms {
            let pids: Vec<String> = vm.server_pids.iter().map(u32::to_string).collect();
            table.add_row([
                vm.name.clone(),
                format!("{}:{}", vm.address, folder::PORT),
                pids.join(" "),
                vm.rpcss_pid.to_string(),
                vm.first_byte_ms.to_string(),
                format!("{:.0}", vm.requests_per_s),
                vm.files_changed.to_string(),
                vm.keys_changed.to_string(),
                vm.names_private.to_string(),
                vm.page.clone(),
            ]);
        }
        println!("\n{table}");
        list("The host's files and keys that changed", &self.host_changed);
        list("Left behind", &self.left_behind);
        println!("\nNot counted, because Wine itself writes it with or without VMs:");
        for line in leftovers::wine_own() {
            println!("  {line}");
        }
    }

    /// Writes the figures as JSON.
    pub fn write(&self, file: Option<&Path>) -> Result<()> {
        if let Some(file) = file {
            std::fs::write(file, serde_json::to_string_pretty(self)? + "\n")?;
        }
        Ok(())
    }

    /// Fails when the host changed or something was left behind.
    pub fn verdict(&self) -> Result<()> {
        if self.host_changed.is_empty() && self.left_behind.is_empty() {
            println!("\nThe host is what it was before.");
            return Ok(());
        }
        bail!("the VMs left traces on the host, listed above")
    }
}

fn list(title: &str, lines: &[String]) {
    println!("\n{title}: {}", if lines.is_empty() { "none" } else { "" });
    for line in lines {
        println!("  {line}");
    }
}
