//! The catalogue: every system call that ntdll and win32u export, on Windows 7
//! to 11 25H2 and on Wine 8 and 10, and every channel between programs, each
//! with its treatment, its state and its proof.
//!
//! Pure data, compiled in, and what reads it. Every call is listed by its whole
//! name: there are no patterns, so a new variant of a call is unknown until
//! somebody has looked at it ([`unknown`]). What a call does is said by its
//! declaration in public headers (phnt) and Wine's source, and for most of
//! win32k, which nobody documents, by its name; what is said of a channel on
//! Wine was observed there.
//!
//! | module | idea |
//! | --- | --- |
//! | [`call`] | what is said of a call; `calls/` has the tables, a file for each family |
//! | [`channel`] | what is said of a channel; `about/` has the records |
//! | [`find`](crate::find()) | a call by its name |
//! | [`unknown`] | what an unknown call's name gives away |
//! | [`page`] | all of it as one Markdown page, `docs/CHANNELS.md` |
#![no_std]
#![forbid(unsafe_code)]

mod about;
pub mod call;
mod calls;
pub mod channel;
mod find;
pub mod page;
pub mod unknown;

pub use call::{Call, Group, Module, Reach, Status, Treatment};
pub use calls::{calls, groups};
pub use channel::{About, Channel, State};
pub use find::find;
