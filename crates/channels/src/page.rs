//! The whole catalogue as one Markdown page.

use crate::call::{Module, Status};
use crate::calls::{calls, groups};
use crate::channel::{About, Channel};
use core::fmt::{Result, Write};

const HEAD: &str = "<!-- Written from crates/channels: `PINION_WRITE_PAGE=1 cargo test -p pinion-channels --test page`. The same test checks it. -->

# The channels

Every way from one program to another, and every system call that Windows 7 to 11 25H2 (x64) and Wine 8 and 10 export, with its treatment in a VM and how far that is done. The same as a table: `pinion channels`. What the running system exports beyond it: `pinion doctor`.

What is said of Windows is by documentation: nothing was ever run there. A test holds this page to the catalogue, the catalogue to the agent's hooks and to the exports of the Wine it runs on.

- **Treatments.** `own-name`: the name means the VM's own. `same-vm`: it passes only between members of one VM. `server-inside`: the server runs again inside. `by-handle`: it takes a handle, so it was decided when that was opened. `denied`: it is refused. `pass`: it reaches the host on purpose. `no-ipc`: it is no channel.
- **States of channels.** `confined`: all of it that is known, with proof. `partly`: a part, with proof of that part. `open`: not confined yet.
- **States of calls.** `hooked`: the agent intercepts it. `partly`: it does, and part of it is not confined yet. `settled`: it needs no hook. `open`: not confined yet.
- **Reach of calls.** `name`: it takes a name, or a number that the whole system knows. `other`: it is felt outside the process. `none`: it is not.
";

/// Writes the page.
///
/// # Errors
/// The writer's.
pub fn write(out: &mut impl Write) -> Result {
    writeln!(out, "{HEAD}")?;
    summary(out)?;
    writeln!(out, "\n## Each channel")?;
    Channel::ALL
        .iter()
        .try_for_each(|channel| record(out, channel.about()))?;
    tables(out)
}

/// The channels in one table, and how many calls are in which state.
fn summary(out: &mut impl Write) -> Result {
    writeln!(out, "## All channels\n")?;
    writeln!(out, "| channel | what it is | treatment | state |")?;
    writeln!(out, "| --- | --- | --- | --- |")?;
    for channel in Channel::ALL {
        let about = channel.about();
        writeln!(
            out,
            "| [{channel}](#{channel}) | {} | {} | {} |",
            about.title, about.treatment, about.state
        )?;
    }
    writeln!(out)?;
    for module in [Module::Ntdll, Module::Win32u] {
        write!(out, "System calls of {}:", module.file())?;
        for (index, &status) in Status::ALL.iter().enumerate() {
            let count = calls()
                .filter(|call| call.module == module && call.group.status == status)
                .count();
            let before = if index == 0 { " " } else { ", " };
            write!(out, "{before}{count} {status}")?;
        }
        writeln!(out, ".\n")?;
    }
    Ok(())
}

fn record(out: &mut impl Write, about: &About) -> Result {
    writeln!(out, "\n### {}\n", about.channel)?;
    writeln!(
        out,
        "{} (`{}`, {}).\n",
        first_up(about.title),
        about.treatment,
        about.state
    )?;
    writeln!(out, "- Windows: {}", about.windows)?;
    writeln!(out, "- Wine: {}", about.wine)?;
    if !about.gaps.is_empty() {
        writeln!(out, "- Does not hold: {}", about.gaps)?;
    }
    if !about.proofs.is_empty() {
        write!(out, "- Proof:")?;
        for (index, proof) in about.proofs.iter().enumerate() {
            write!(out, "{} `{proof}`", if index == 0 { "" } else { "," })?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The groups of calls of each DLL.
fn tables(out: &mut impl Write) -> Result {
    for module in [Module::Ntdll, Module::Win32u] {
        writeln!(out, "\n## System calls of {}\n", module.file())?;
        writeln!(out, "| channel | reach | treatment | state | why | calls |")?;
        writeln!(out, "| --- | --- | --- | --- | --- | --- |")?;
        for (_, group) in groups().filter(|(of, _)| *of == module) {
            write!(
                out,
                "| {} | {} | {} | {} | {} |",
                group.channel, group.reach, group.treatment, group.status, group.why
            )?;
            group
                .names
                .iter()
                .try_for_each(|name| write!(out, " {}", Escaped(name)))?;
            writeln!(out, " |")?;
        }
    }
    Ok(())
}

fn first_up(text: &str) -> impl core::fmt::Display {
    struct FirstUp<'a>(&'a str);
    impl core::fmt::Display for FirstUp<'_> {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> Result {
            let mut rest = self.0.chars();
            match rest.next() {
                Some(first) => write!(f, "{}{}", first.to_ascii_uppercase(), rest.as_str()),
                None => Ok(()),
            }
        }
    }
    FirstUp(text)
}

/// A name in which Markdown would see its own signs.
struct Escaped<'a>(&'a str);

impl core::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> Result {
        for part in self.0.split_inclusive('_') {
            match part.strip_suffix('_') {
                Some(before) => write!(f, "{before}\\_")?,
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}
