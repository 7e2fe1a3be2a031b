//! The program that a command line means: found, checked, and the folder that
//! it starts in. Nothing is started.

use crate::failure::Failure;
use crate::image;
use crate::search::Places;
use pinion_store::exit_code;
use std::path::{Path, PathBuf};

/// The file to start for the program `name`, absolute and fit to be started.
pub fn find(name: &str) -> Result<PathBuf, Failure> {
    let Some(path) = Places::of_this_process().find(name.as_ref()) else {
        return Err(Failure::new(
            exit_code::NOT_FOUND,
            format!(
                "cannot find the program '{name}' in the current folder, the system's folders or PATH; \
                 check the spelling or give its full path"
            ),
        ));
    };
    let path = std::path::absolute(&path).unwrap_or(path);
    image::check(&path).map_err(|unfit| {
        let code = match &unfit {
            image::Unfit::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => {
                exit_code::NOT_FOUND
            }
            _ => exit_code::CANNOT_RUN,
        };
        let path = path.display();
        Failure::new(
            code,
            format!("cannot run '{path}': {}; {}", unfit.cause(), unfit.remedy()),
        )
    })?;
    Ok(path)
}

/// The folder that a program starts in: the one asked for, else the current one.
pub fn folder(asked: Option<&str>) -> Result<String, Failure> {
    let path = match asked {
        None => std::env::current_dir(),
        Some(asked) => std::path::absolute(asked),
    };
    let shown = asked.unwrap_or("the current folder");
    let path = path.map_err(|error| {
        let text = format!("cannot use '{shown}' as the current folder: {error}; give one with -w");
        Failure::new(exit_code::CANNOT_RUN, text)
    })?;
    if !path.is_dir() {
        let text = format!(
            "cannot use '{shown}' as the current folder: there is no such folder; give one with -w"
        );
        return Err(Failure::new(exit_code::CANNOT_RUN, text));
    }
    as_text(&path)
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
