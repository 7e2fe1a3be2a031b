//! Owns the replay: line after line, who asked for what and with what end. Yields accesses; what a request means is in `calls`.

use crate::calls;
use crate::handles::Handles;
use crate::log::{self, Line};
use crate::members::Members;
use crate::names::Links;
use crate::vms::Vm;
use std::collections::HashMap;

/// How an access touches its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// A file or key is opened for reading only.
    Read,
    /// An object is opened, or a file or key for writing.
    Open,
    /// A key or file is opened for whatever is allowed (`MAXIMUM_ALLOWED`), writing included.
    Maximum,
    /// It is made.
    Create,
    /// A value of a key, or a file's new name, is written.
    Write,
    /// It is deleted.
    Delete,
}

impl How {
    /// The word for it in the report and the pass list.
    pub fn word(self) -> &'static str {
        match self {
            How::Read => "read",
            How::Open => "open",
            How::Maximum => "maximum",
            How::Create => "create",
            How::Write => "write",
            How::Delete => "delete",
        }
    }
}

/// One access of one process to one named thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The process.
    pub pid: u32,
    /// `mutex`, `event`, `section`, `pipe`, `file`, `key`, `port`, `process` and so on; else what follows `open_` in the request.
    pub kind: String,
    /// Resolved name; `?001c\x` where the log never said what the root handle 001c is.
    pub name: String,
    /// Unix path of a file.
    pub unix: Option<String>,
    /// How it is touched.
    pub how: How,
    /// Did it succeed? A named object that was looked for and is not there counts as reached: had it been there, it would
    /// have been opened. So does a connection: that nobody answered is luck.
    pub done: bool,
    /// Did the lookup ignore case?
    pub fold: bool,
}

/// What a request asked for, word for word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The thread.
    pub tid: u32,
    /// The request.
    pub request: String,
    /// The name as it stands in the request, relative to whatever handle; of a process or thread its id in hexadecimal.
    pub name: String,
}

/// What the replay counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests read.
    pub requests: u64,
    /// Lines that begin like the protocol and are damaged.
    pub unreadable: u64,
    /// Requests of threads that the log never introduced.
    pub strangers: u64,
}

/// The state of the kernel as far as the log tells.
#[derive(Debug)]
pub struct Kernel<'a> {
    /// The machines looked for.
    pub vms: &'a [Vm],
    /// Who is who.
    pub members: Members,
    /// What handles mean.
    pub handles: Handles,
    /// Symbolic links made.
    pub links: Links,
    /// The window station of each process.
    pub stations: HashMap<u32, String>,
    /// What was counted.
    pub tally: Tally,
    /// The request that was completed last.
    pub asked: Asked,
    pending: HashMap<u32, String>,
}

impl<'a> Kernel<'a> {
    /// The kernel before the first line of a log.
    pub fn new(vms: &'a [Vm]) -> Self {
        Kernel {
            vms,
            members: Members::default(),
            handles: Handles::default(),
            links: Links::default(),
            stations: HashMap::new(),
            tally: Tally::default(),
            asked: Asked::default(),
            pending: HashMap::new(),
        }
    }

    /// Takes one line, without its line end, and adds the accesses that it completes to `accesses`.
    pub fn feed(&mut self, line: &str, accesses: &mut Vec<Access>) {
        match log::parse(line) {
            Line::Request { tid, name, .. } => {
                self.tally.requests += 1;
                self.pending.remove(&tid);
                if calls::matters(name) {
                    self.pending.insert(tid, line.to_string());
                }
            }
            Line::Reply {
                tid,
                name,
                status,
                fields,
            } => {
                if name == "init_first_thread" {
                    if let (Some(pid), Some(tid)) = (fields.hex("pid"), fields.hex("tid")) {
                        self.members.thread_started(tid, pid);
                    }
                    return;
                }
                let asked = self.pending.remove(&tid);
                let Some(pid) = self.members.process_of(tid) else {
                    self.tally.strangers += 1;
                    return;
                };
                if let Some(asked) = asked.as_deref()
                    && let Line::Request {
                        name: asked_name,
                        fields: request,
                        ..
                    } = log::parse(asked)
                    && asked_name == name
                {
                    self.asked = Asked {
                        tid,
                        request: name.to_string(),
                        name: calls::written_name(request),
                    };
                    calls::complete(
                        self,
                        &calls::Call {
                            pid,
                            name,
                            request,
                            status,
                            reply: fields,
                        },
                        accesses,
                    );
                }
            }
            Line::ProcessGone { pid } => {
                self.handles.end_process(pid);
                self.stations.remove(&pid);
                self.members.ended(pid);
            }
            Line::ThreadGone { tid } => {
                self.pending.remove(&tid);
            }
            Line::Other => {}
            Line::Unreadable => self.tally.unreadable += 1,
        }
    }
}
