//! The program that a command line means to a VM: found, checked, and the folder that
//! it starts in. Nothing is started.

use crate::failure::Failure;
use crate::image;
use pinion_store::{View, exit_code};
use pinion_supervisor::program::{self, Located};
use pinion_supervisor::search::Places;
use std::path::Path;

/// A folder that a program starts in.
#[derive(Debug)]
pub struct Folder {
    /// Its path, as programs in the VM name it.
    pub path: String,
    /// Whether it is the host's, at the same path.
    pub is_host: bool,
}

/// The file to start for the program `name` where programs see `view`, fit to be started.
pub fn find(view: &View, name: &str) -> Result<Located, Failure> {
    let Some(found) = program::locate(view, &Places::of_this_process(), name.as_ref())? else {
        return Err(Failure::new(
            exit_code::NOT_FOUND,
            format!(
                "cannot find the program '{name}' in the current folder, the system's folders or PATH; \
                 check the spelling or give its full path"
            ),
        ));
    };
    let fit = found.real.as_deref().map_or(Ok(()), image::check);
    fit.map_err(|unfit| {
        let code = match &unfit {
            image::Unfit::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => {
                exit_code::NOT_FOUND
            }
            _ => exit_code::CANNOT_RUN,
        };
        let path = found.path.display();
        Failure::new(
            code,
            format!("cannot run '{path}': {}; {}", unfit.cause(), unfit.remedy()),
        )
    })?;
    Ok(found)
}

/// The folder that a program starts in where programs see `view`: the one asked for, else the current one.
pub fn folder(view: &View, asked: Option<&str>) -> Result<Folder, Failure> {
    let path = match asked {
        None => std::env::current_dir(),
        Some(asked) => std::path::absolute(asked),
    };
    let shown = asked.unwrap_or("the current folder");
    let path = path.map_err(|error| {
        let text = format!("cannot use '{shown}' as the current folder: {error}; give one with -w");
        Failure::new(exit_code::CANNOT_RUN, text)
    })?;
    let Some(is_host) = program::folder(view, &path)? else {
        let text = format!(
            "cannot use '{shown}' as the current folder: there is no such folder; give one with -w"
        );
        return Err(Failure::new(exit_code::CANNOT_RUN, text));
    };
    Ok(Folder {
        path: as_text(&path)?,
        is_host,
    })
}

/// `command` with the file that was found in place of the program's name.
pub fn resolved(program: &Path, command: &[String]) -> Result<Vec<String>, Failure> {
    let mut all = vec![as_text(program)?];
    all.extend_from_slice(command.get(1..).unwrap_or(&[]));
    Ok(all)
}

fn as_text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let text = format!(
            "cannot use '{}': its name is no valid Unicode; rename it",
            path.display()
        );
        Failure::new(exit_code::CANNOT_RUN, text)
    })
}
