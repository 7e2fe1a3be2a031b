//! Whether a file can be started: reads the headers of a PE image, so that a
//! wrong file is refused before anything is made for it. Starts nothing.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Why a file cannot be started.
#[derive(Debug)]
pub enum Unfit {
    /// The file could not be read.
    Unreadable(io::Error),
    /// It is a folder.
    Folder,
    /// It is no PE image.
    NotPe,
    /// It is a batch file, which `cmd.exe` interprets.
    Batch,
    /// It is a 32-bit image.
    Bits32,
    /// It is an image for another processor; its `Machine` field.
    Machine(u16),
    /// It is a DLL.
    Dll,
}

impl Unfit {
    /// The cause, to follow "cannot run 'x': ".
    pub fn cause(&self) -> String {
        match self {
            Self::Unreadable(error) => format!("it cannot be read: {error}"),
            Self::Folder => "it is a folder".into(),
            Self::NotPe => "it is no Windows program (no PE image)".into(),
            Self::Batch => "it is a batch file".into(),
            Self::Bits32 => "it is a 32-bit program, which is not supported yet".into(),
            Self::Machine(machine) => {
                format!("it is a program for another processor (machine {machine:#06x})")
            }
            Self::Dll => "it is a DLL".into(),
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "Give yourself the right to read it",
            Self::Folder | Self::NotPe => "Give the path of a 64-bit .exe",
            Self::Batch => "Run it by 'cmd.exe /c FILE'",
            Self::Bits32 | Self::Machine(_) => "Take the program's 64-bit (x86-64) build",
            Self::Dll => "Run a program that loads it, such as rundll32.exe",
        }
    }
}

const MACHINE_I386: u16 = 0x14c;
const MACHINE_AMD64: u16 = 0x8664;
const CHARACTERISTIC_DLL: u16 = 0x2000;
const MAGIC_PE32_PLUS: u16 = 0x20b;

/// Whether `path` is a 64-bit program for this processor.
pub fn check(path: &Path) -> Result<(), Unfit> {
    if path.is_dir() {
        return Err(Unfit::Folder);
    }
    let is_batch = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("bat") || e.eq_ignore_ascii_case("cmd"));
    if is_batch {
        return Err(Unfit::Batch);
    }
    check_headers(&mut File::open(path).map_err(Unfit::Unreadable)?)
}

/// The layout of a PE image's headers is the PE format specification's:
/// `e_lfanew` at 0x3c, there `PE\0\0`, the file header of 20 bytes (`Machine`
/// first, `Characteristics` last), then the optional header's `Magic`.
fn check_headers(file: &mut (impl Read + Seek)) -> Result<(), Unfit> {
    let dos: [u8; 64] = read_at(file, 0)?;
    if !dos.starts_with(b"MZ") {
        return Err(Unfit::NotPe);
    }
    let [.., a, b, c, d] = dos;
    let pe: [u8; 26] = read_at(file, u32::from_le_bytes([a, b, c, d]).into())?;
    if !pe.starts_with(b"PE\0\0") {
        return Err(Unfit::NotPe);
    }
    let word = |at: usize| u16::from_le_bytes([pe[at], pe[at + 1]]);
    match word(4) {
        MACHINE_AMD64 => {}
        MACHINE_I386 => return Err(Unfit::Bits32),
        machine => return Err(Unfit::Machine(machine)),
    }
    if word(22) & CHARACTERISTIC_DLL != 0 {
        return Err(Unfit::Dll);
    }
    if word(24) != MAGIC_PE32_PLUS {
        return Err(Unfit::NotPe);
    }
    Ok(())
}

fn read_at<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> Result<[u8; N], Unfit> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Unfit::NotPe,
            _ => Unfit::Unreadable(error),
        })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn image(machine: u16, characteristics: u16, magic: u16) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 64;
        bytes.extend(b"PE\0\0");
        bytes.extend(machine.to_le_bytes());
        bytes.extend([0; 16]);
        bytes.extend(characteristics.to_le_bytes());
        bytes.extend(magic.to_le_bytes());
        bytes
    }

    fn verdict(bytes: Vec<u8>) -> Result<(), Unfit> {
        check_headers(&mut Cursor::new(bytes))
    }

    #[test]
    fn a_64_bit_program_is_fit() {
        assert!(verdict(image(MACHINE_AMD64, 0x22, MAGIC_PE32_PLUS)).is_ok());
    }

    #[test]
    fn others_are_named_for_what_they_are() {
        let unfit = |bytes| verdict(bytes).expect_err("unfit");
        assert!(matches!(
            unfit(image(MACHINE_I386, 0x102, 0x10b)),
            Unfit::Bits32
        ));
        assert!(matches!(
            unfit(image(0xaa64, 0x22, 0x20b)),
            Unfit::Machine(0xaa64)
        ));
        assert!(matches!(
            unfit(image(MACHINE_AMD64, 0x2022, 0x20b)),
            Unfit::Dll
        ));
        assert!(matches!(unfit(b"#!/bin/sh\n".to_vec()), Unfit::NotPe));
        assert!(matches!(unfit(Vec::new()), Unfit::NotPe));
        let mut cut = image(MACHINE_AMD64, 0x22, 0x20b);
        cut.truncate(80);
        assert!(matches!(unfit(cut), Unfit::NotPe));
    }

    #[test]
    fn a_batch_file_and_a_folder_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(check(folder.path()), Err(Unfit::Folder)));
        assert!(matches!(
            check(&folder.path().join("x.CMD")),
            Err(Unfit::Batch)
        ));
    }

    proptest! {
        #[test]
        fn garbage_is_never_fit(mut bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            if let Some(first) = bytes.first_mut() {
                *first = b'X';
            }
            prop_assert!(verdict(bytes).is_err());
        }
    }
}
