//! Options that several verbs share.

use crate::values;
use clap::Args;
use pinion_store::{Limits, Network, PortMapping, Share, VmName};

/// What a new VM is made of.
#[derive(Args, Debug)]
pub struct NewOptions {
    /// Name of the VM; one is made up when none is given
    #[arg(long, value_parser = name)]
    pub name: Option<VmName>,

    /// Publish the VM's port VM at the host's port HOST
    #[arg(short, long, value_name = "[ADDRESS:]HOST:VM", value_parser = values::publish)]
    pub publish: Vec<PortMapping>,

    /// What its programs reach by sockets: none, loopback (the VM itself), outbound (the outer network, too), or host
    #[arg(long, value_name = "MODE", value_parser = values::network, default_value = "outbound")]
    pub network: Network,

    /// Show its windows on your desktop; without it the VM has a desktop of its own, that nobody sees
    #[arg(long)]
    pub desktop: bool,

    /// What goes before the titles of its windows on your desktop; '' for nothing [default: its name in brackets]
    #[arg(long, value_name = "TEXT", requires = "desktop")]
    pub title_mark: Option<String>,

    /// Share the host's folder HOSTDIR as VMDIR; 'ro': for reading only
    #[arg(short, long, value_name = "HOSTDIR:VMDIR[:ro]", value_parser = values::share)]
    pub volume: Vec<Share>,

    /// What names are the host's, and what names are refused: a file of rules; none: no rules
    #[arg(long, value_name = "FILE")]
    pub policy: Option<String>,

    /// Share a name with the host, such as pipes=MyServer; goes before the rules of the policy
    #[arg(long, value_name = "CHANNEL=NAME")]
    pub allow: Vec<String>,

    /// Refuse a name, such as objects=Global\\Old*; goes before all that is allowed
    #[arg(long, value_name = "CHANNEL=NAME")]
    pub deny: Vec<String>,

    /// What a known server needs, where no option says otherwise: a name of 'pinion profile list', or a file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,

    /// The rules of the profile, as a policy.
    #[arg(skip)]
    pub profile_policy: Option<String>,

    /// Record from the start on what its programs open and are refused; 'pinion trace' shows it
    #[arg(long)]
    pub trace: bool,

    /// Start with what this VM or snapshot has; its program is the default
    #[arg(long, value_name = "VM|SNAPSHOT")]
    pub from: Option<String>,

    #[command(flatten)]
    pub program: ProgramOptions,

    #[command(flatten)]
    pub limits: LimitOptions,

    /// Program and its arguments
    #[arg(
        required_unless_present_any = ["from", "profile"],
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM"
    )]
    pub command: Vec<String>,
}

/// Which VM is explained, and how the answer is told.
#[derive(Args, Debug)]
pub struct ExplainOptions {
    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Name or id of the VM
    #[arg(value_name = "VM")]
    pub name: String,
}

/// What a program is started with.
#[derive(Args, Debug)]
pub struct ProgramOptions {
    /// Set a variable of the program; without a value, hand on the one set here
    #[arg(short, long, value_name = "NAME[=VALUE]", value_parser = values::variable)]
    pub env: Vec<(String, Option<String>)>,

    /// Current folder of the program, an existing one
    #[arg(short, long, value_name = "FOLDER")]
    pub workdir: Option<String>,
}

/// Limits of a VM.
#[derive(Args, Debug)]
pub struct LimitOptions {
    /// Most memory of all its processes together, such as 512m or 2g
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub memory: Option<u64>,

    /// Most processors, such as 1.5
    #[arg(long, value_name = "NUMBER", value_parser = values::cpus)]
    pub cpus: Option<u32>,

    /// Most processes at one time
    #[arg(long, value_name = "NUMBER", value_parser = values::count)]
    pub processes: Option<u32>,
}

impl ProgramOptions {
    /// The variables that are set; those without a value anywhere are left out.
    pub fn variables(&self) -> Vec<(String, String)> {
        let set = |(name, value): &(String, Option<String>)| {
            value.as_ref().map(|value| (name.clone(), value.clone()))
        };
        self.env.iter().filter_map(set).collect()
    }
}

impl LimitOptions {
    /// The limits as the record keeps them.
    pub fn limits(&self) -> Limits {
        Limits {
            memory: self.memory,
            cpus_milli: self.cpus,
            processes: self.processes,
        }
    }
}

fn name(text: &str) -> Result<VmName, String> {
    VmName::check(text).map_err(|why| why.to_string())
}
