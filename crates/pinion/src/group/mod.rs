//! The process that keeps a group of replicas, and how the command line talks to it.
//!
//! | module | idea |
//! | --- | --- |
//! | `plan` | the group's file, with all that the host must tell: program, folder, shares |
//! | `place` | what lies in the group's folder of the store |
//! | `control` | what is said over the group's pipe; both sides |
//! | `keep` | the process: starts, keeps and ends the group |
//! | `driver` | carries out what `pinion_group::life` decides |
//! | `work` | what takes long: make, start, check inside, end and remove a replica |
//! | `look` | changes and growth of replicas |
//! | `evidence`, `events` | what is kept of removed replicas, and of all that happened |

pub mod control;
mod driver;
pub mod events;
mod evidence;
pub mod keep;
mod look;
pub mod place;
pub mod plan;
mod work;
