//! A detour: a function that begins with a jump to another, and a copy of what the
//! jump has taken the place of, by which the function can still be called. For
//! exports that are of no form made to be patched ([`crate::hot`]).
//!
//! Only instructions are moved that are in the list below, as compilers begin
//! functions with; anything else, calls and jumps above all, is no place for a
//! detour. Encodings: Intel's manual, volume 2, chapters 2 and 3.

use crate::jump;

/// The length in bytes of the jump over an entry, `jmp rel32`.
pub const ENTRY: usize = 5;
/// The longest instruction of an x86-64 processor, in bytes.
const LONGEST: usize = 15;
/// Bytes from the place's beginning to the moved instructions.
pub const MOVED: usize = 16;
/// The bytes of a detour's place: a jump to the hook, the moved instructions, and
/// a jump to what follows them.
pub const PLACE: usize = 64;

const _: () = assert!(MOVED >= jump::LENGTH);
const _: () = assert!(MOVED + ENTRY - 1 + LONGEST + jump::LENGTH <= PLACE);

/// What is written where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detour {
    /// What goes over the function's entry; of it, `covered` bytes.
    pub entry: [u8; ENTRY + LONGEST],
    /// How many bytes of the function are moved: whole instructions.
    pub covered: usize,
    /// What goes to the place. The function as it was is called [`MOVED`] bytes
    /// from its beginning on.
    pub place: [u8; PLACE],
}

/// A detour of the function whose `code` lies at `from`, by a place at `to`, to the
/// function at `hook`. `None` where it begins with other instructions than those
/// that can be moved, or where `to` is not within 2 GiB.
#[must_use]
pub fn encode(code: &[u8], from: u64, to: u64, hook: u64) -> Option<Detour> {
    const INT3: u8 = 0xcc;
    let moved_to = to.checked_add(MOVED as u64)?;
    let mut place = [INT3; PLACE];
    place
        .get_mut(..jump::LENGTH)?
        .copy_from_slice(&jump::encode(hook));
    let mut covered = 0;
    while covered < ENTRY {
        let rest = code.get(covered..)?;
        let found = instruction(rest)?;
        let bytes = place.get_mut(MOVED + covered..MOVED + covered + found.length)?;
        bytes.copy_from_slice(rest.get(..found.length)?);
        if let Some(at) = found.relative {
            let field = bytes.get_mut(at..at + 4)?;
            let old = i32::from_le_bytes(field.first_chunk().copied()?);
            field.copy_from_slice(&moved(old, from, moved_to)?.to_le_bytes());
        }
        covered += found.length;
    }
    let back = MOVED + covered..MOVED + covered + jump::LENGTH;
    let follows = from.checked_add(covered as u64)?;
    place.get_mut(back)?.copy_from_slice(&jump::encode(follows));
    let mut entry = [INT3; ENTRY + LONGEST];
    let (head, _) = entry.split_first_chunk_mut::<ENTRY>()?;
    let [low, second, third, high] = moved(0, to, from.checked_add(ENTRY as u64)?)?.to_le_bytes();
    *head = [0xe9, low, second, third, high];
    Some(Detour {
        entry,
        covered,
        place,
    })
}

/// The displacement `old`, counted from `from`, when it is counted from `to`.
fn moved(old: i32, from: u64, to: u64) -> Option<i32> {
    let new = i128::from(old) + i128::from(from) - i128::from(to);
    i32::try_from(new).ok()
}

/// What must be known of an instruction to move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    /// Bytes.
    length: usize,
    /// Where its displacement is, when it counts from the instruction's end.
    relative: Option<usize>,
}

/// What follows an opcode.
enum Form {
    /// Nothing, or so many bytes of an immediate.
    Plain(usize),
    /// A ModRM byte with what belongs to it, then so many bytes of an immediate.
    ModRm(usize),
}

/// The instruction that `code` begins with; `None` when it is in no list here.
fn instruction(code: &[u8]) -> Option<Instruction> {
    let mut at = 0;
    let short = code.first() == Some(&0x66);
    if short {
        at += 1;
    }
    let rex = code.get(at).copied().filter(|byte| byte & 0xf0 == 0x40);
    if rex.is_some() {
        at += 1;
    }
    let wide = rex.is_some_and(|rex| rex & 8 != 0);
    let opcode = *code.get(at)?;
    at += 1;
    let form = if opcode == 0x0f {
        let second = *code.get(at)?;
        at += 1;
        of_two(second)?
    } else {
        of_one(opcode, *code.get(at).unwrap_or(&0), short, wide)?
    };
    let (operand, relative, immediate) = match form {
        Form::Plain(immediate) => (0, None, immediate),
        Form::ModRm(immediate) => {
            let (length, relative) = operand(code.get(at..)?)?;
            (length, relative.map(|offset| at + offset), immediate)
        }
    };
    let length = at + operand + immediate;
    (length <= code.len().min(LONGEST)).then_some(Instruction { length, relative })
}

/// The form of a one-byte opcode; `next` is the byte behind it.
fn of_one(opcode: u8, next: u8, short: bool, wide: bool) -> Option<Form> {
    let word = if short && !wide { 2 } else { 4 };
    Some(match opcode {
        // push
        0x50..=0x57 => Form::Plain(0),
        // mov of an immediate to a register
        0xb8..=0xbf if wide => Form::Plain(8),
        0xb8..=0xbf => Form::Plain(word),
        // add, or, adc, sbb, and, sub, xor, cmp between registers and memory
        0x00..=0x3f if opcode & 7 < 4 => Form::ModRm(0),
        // movsxd, test, mov, lea
        0x63 | 0x84 | 0x85 | 0x88..=0x8b | 0x8d => Form::ModRm(0),
        // add, sub, and, cmp of an immediate; mov of one to memory
        0x80 | 0x83 | 0xc6 => Form::ModRm(1),
        0x81 | 0xc7 => Form::ModRm(word),
        // test of an immediate
        0xf6 if next & 0x38 == 0 => Form::ModRm(1),
        0xf7 if next & 0x38 == 0 => Form::ModRm(word),
        _ => return None,
    })
}

/// The form of an opcode of two bytes, of which this is the second.
fn of_two(opcode: u8) -> Option<Form> {
    match opcode {
        // movups, movaps, xorps, pxor, movdqa, nop, movzx, movsx
        0x10 | 0x11 | 0x28 | 0x29 | 0x57 | 0xef | 0x6f | 0x7f | 0x1f | 0xb6 | 0xb7 | 0xbe
        | 0xbf => Some(Form::ModRm(0)),
        _ => None,
    }
}

/// The length of a ModRM byte with its SIB byte and displacement, and where its
/// displacement is when it counts from the instruction's end.
fn operand(code: &[u8]) -> Option<(usize, Option<usize>)> {
    let modrm = *code.first()?;
    let (kind, register) = (modrm >> 6, modrm & 7);
    if kind == 3 {
        return Some((1, None));
    }
    let sib = if register == 4 {
        Some(*code.get(1)?)
    } else {
        None
    };
    let head = 1 + usize::from(sib.is_some());
    Some(match kind {
        0 if register == 5 => (head + 4, Some(head)),
        0 if sib.is_some_and(|sib| sib & 7 == 5) => (head + 4, None),
        0 => (head, None),
        1 => (head + 1, None),
        _ => (head + 4, None),
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn length(code: &[u8]) -> Option<usize> {
        let mut code = code.to_vec();
        // What follows does not count.
        code.extend([0xe8; 8]);
        instruction(&code).map(|found| found.length)
    }

    /// As an assembler writes them; the lengths are the arrays' own.
    #[test]
    fn instructions_that_begin_functions_have_their_lengths() {
        let all: &[&[u8]] = &[
            &[0x57],                                  // push rdi
            &[0x41, 0x56],                            // push r14
            &[0x48, 0x83, 0xec, 0x40],                // sub rsp, 0x40
            &[0x48, 0x81, 0xec, 0xb0, 0, 0, 0],       // sub rsp, 0xb0
            &[0x48, 0x89, 0xcb],                      // mov rbx, rcx
            &[0x48, 0x89, 0x5c, 0x24, 0x08],          // mov [rsp+8], rbx
            &[0x4c, 0x89, 0x84, 0x24, 0x80, 0, 0, 0], // mov [rsp+0x80], r8
            &[0x48, 0x8b, 0xc4],                      // mov rax, rsp
            &[0x48, 0x8d, 0x05, 1, 2, 3, 4],          // lea rax, [rip+x]
            &[0x48, 0x8d, 0x6c, 0x24, 0xd9],          // lea rbp, [rsp-0x27]
            &[0xf6, 0x05, 1, 2, 3, 4, 8],             // test byte [rip+x], 8
            &[0x66, 0x0f, 0xef, 0xc0],                // pxor xmm0, xmm0
            &[0x0f, 0xb6, 0x05, 1, 2, 3, 4],          // movzx eax, byte [rip+x]
            &[0x33, 0xc0],                            // xor eax, eax
            &[0xb8, 1, 0, 0, 0],                      // mov eax, 1
            &[0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8],    // mov rax, x
            &[0x66, 0xb8, 1, 0],                      // mov ax, 1
            &[0xc7, 0x44, 0x24, 0x20, 0, 0, 0, 0],    // mov dword [rsp+0x20], 0
            &[0x48, 0x83, 0x3d, 1, 2, 3, 4, 0],       // cmp qword [rip+x], 0
            &[0x8b, 0x04, 0x25, 1, 2, 3, 4],          // mov eax, [x]
            &[0x0f, 0x1f, 0x44, 0, 0],                // nop [rax+rax]
        ];
        for &code in all {
            assert_eq!(length(code), Some(code.len()), "{code:02x?}");
        }
    }

    #[test]
    fn what_goes_elsewhere_or_is_unknown_is_not_moved() {
        let all: &[&[u8]] = &[
            &[0xe8, 0, 0, 0, 0],
            &[0xe9, 0, 0, 0, 0],
            &[0xeb, 0],
            &[0x74, 0],
            &[0x0f, 0x84, 0, 0, 0, 0],
            &[0xc3],
            &[0xcc],
            &[0xff, 0x25, 0, 0, 0, 0],
            &[0xf6, 0xd0],
            &[0x65, 0x48, 0x8b, 4, 0x25, 0x60, 0, 0, 0],
            &[0xc5, 0xf8, 0x57, 0xc0],
        ];
        for &code in all {
            assert_eq!(length(code), None, "{code:02x?}");
        }
    }

    const FROM: u64 = 0x7ff8_1000_1230;
    const TO: u64 = 0x7ff8_1200_0040;
    const HOOK: u64 = 0x1_2345_6789;

    #[test]
    fn the_entry_jumps_to_the_place_and_the_place_to_the_hook_and_back() {
        // sub rsp, 0x58; test byte [rip+0x32f5], 1; jne …
        let code = [
            0x48, 0x83, 0xec, 0x58, 0xf6, 0x05, 0xf5, 0x32, 0, 0, 1, 0x75, 0x0b, 0x31, 0xc0,
        ];
        let made = encode(&code, FROM, TO, HOOK).expect("a detour");
        assert_eq!(made.covered, 11);
        let field = |bytes: &[u8]| i32::from_le_bytes(*bytes.first_chunk().expect("four"));
        assert_eq!(made.entry[0], 0xe9);
        let reached = FROM + 5 + field(&made.entry[1..]) as u64;
        assert_eq!(reached, TO);
        assert_eq!(made.place[..14], jump::encode(HOOK));
        assert_eq!(made.place[MOVED..MOVED + 6], code[..6]);
        // The same byte is tested from there.
        let meant = FROM.wrapping_add(11 + 0x32f5);
        let end = TO + MOVED as u64 + 11;
        let moved = field(&made.place[MOVED + 6..]);
        assert_eq!(end.wrapping_add_signed(i64::from(moved)), meant);
        assert_eq!(made.place[MOVED + 10], 1);
        assert_eq!(made.place[MOVED + 11..MOVED + 25], jump::encode(FROM + 11));
    }

    #[test]
    fn a_place_out_of_reach_is_none() {
        let code = [0x57, 0x56, 0x53, 0x48, 0x83, 0xec, 0x40, 0, 0, 0, 0, 0];
        assert!(encode(&code, FROM, TO, HOOK).is_some());
        assert!(encode(&code, FROM, FROM + (3 << 30), HOOK).is_none());
        assert!(encode(&code[..6], FROM, TO, HOOK).is_none());
    }

    proptest! {
        #[test]
        fn any_code_is_refused_or_moved_whole(
            code in proptest::collection::vec(any::<u8>(), 0..40),
            to in any::<u64>(),
        ) {
            if let Some(made) = encode(&code, FROM, to, HOOK) {
                prop_assert!((ENTRY..ENTRY + LONGEST).contains(&made.covered));
                let mut at = 0;
                let mut all = Vec::new();
                while at < made.covered {
                    let found = instruction(&code[at..]).expect("known");
                    all.push(found);
                    at += found.length;
                }
                prop_assert_eq!(at, made.covered);
                if all.iter().all(|one| one.relative.is_none()) {
                    prop_assert_eq!(&made.place[MOVED..MOVED + at], &code[..at]);
                }
            }
        }
    }
}
