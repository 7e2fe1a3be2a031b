//! The kernel's-eye audit: what did confined processes really open?
//!
//! `wineserver -d1` writes every request of every thread with the object names in it. Wine's server is Wine's kernel, so
//! this log is a witness that owes nothing to the agent inside the processes. The audit replays it: threads to processes
//! to virtual machines ([`members`]), handles to names ([`handles`], [`names`]), requests to accesses ([`kernel`]), and
//! judges each access ([`judge`]) against the places of the virtual machines ([`vms`]) and a short list of reasoned
//! exceptions ([`pass`]).
//!
//! Never feed the judge from the agent or the supervisor: the only thing taken from Pinion is where each machine's places
//! are. What Pinion itself recorded is then compared with the log, name for name ([`record`]).

pub mod calls;
pub mod handles;
pub mod judge;
pub mod kernel;
pub mod log;
pub mod members;
pub mod names;
pub mod pass;
pub mod record;
pub mod report;
pub mod run;
pub mod scenarios;
pub mod sockets;
pub mod value;
pub mod vms;
