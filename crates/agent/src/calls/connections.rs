//! Device controls of Wine's `\Device\Nsi`: tables of TCP connections and UDP
//! endpoints show the VM's own, and echoes go where its sockets go.
//!
//! The table is taken into the agent's own memory and cut down there. How
//! Windows' tables are asked for is not known here.

use super::controls::Control;
use super::{membership, sockets};
use crate::region::Region;
use crate::{guard, state};
use pinion_names::socket::{self, Network, Verdict};
use pinion_nt::status::{
    STATUS_BUFFER_OVERFLOW, STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY, STATUS_UNSUCCESSFUL,
};
use pinion_nt::{IO_STATUS_BLOCK, NTSTATUS};
use pinion_processes::connections::{COUNT, Kind, Layout, PARTS, cut};

/// `IOCTL_NSIPROXY_WINE_ENUMERATE_ALL` (Wine's wine/nsi.h); the input is
/// [`Question`].
pub(super) const ENUMERATE: u32 = 0x12_1000;

/// `IOCTL_NSIPROXY_WINE_ICMP_ECHO` (Wine's wine/nsi.h); the input begins with the
/// source and the destination.
pub(super) const ECHO: u32 = 0x12_100c;
/// The size of `SOCKADDR_INET`.
const ADDRESS: usize = 28;

/// `struct nsiproxy_enumerate_all` (Wine's wine/nsi.h, the same in 8.0 and
/// 10.0).
#[repr(C)]
#[derive(Clone, Copy)]
struct Question {
    /// `NPI_MODULEID`: length and kind; the GUID, its first number apart.
    module: [u32; 2],
    guid: u32,
    guid_rest: [u32; 3],
    arguments: [u32; 2],
    table: u32,
    sizes: [u32; PARTS],
    count: u32,
}

/// Refuses an echo to what the VM does not reach; `None` for others, which the
/// kernel sends.
pub(super) fn echo(control: Control) -> Option<NTSTATUS> {
    let both: [[u8; ADDRESS]; 2] = match control.input_size as usize {
        // SAFETY: plain data; a bad pointer is a return value.
        size if size >= 2 * ADDRESS => unsafe { guard::read(control.input.cast()) }.ok()?,
        _ => return None,
    };
    let to = socket::ip(&both[1])?;
    let verdict = socket::reach(sockets::network(), to, |_| false);
    (verdict == Verdict::Refuse).then_some(sockets::STATUS_NETWORK_UNREACHABLE)
}

/// Answers a question for a table of sockets; `None` when it is for another,
/// which the kernel answers.
pub(super) fn control(control: Control) -> Option<NTSTATUS> {
    let host = sockets::network() == Network::Host;
    if host || control.input_size as usize != size_of::<Question>() {
        return None;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    let question: Question = unsafe { guard::read(control.input.cast()) }.ok()?;
    let kind = Kind::of(question.guid, question.table)?;
    Some(of_sockets(control, &question, kind).unwrap_or_else(|status| status))
}

fn of_sockets(control: Control, question: &Question, kind: Kind) -> Result<NTSTATUS, NTSTATUS> {
    let wanted = Layout {
        sizes: question.sizes.map(|size| size as usize),
        room: question.count as usize,
    };
    let right = wanted
        .sizes
        .iter()
        .zip(kind.sizes())
        .all(|(size, whole)| *size == 0 || *size == whole);
    let size = wanted
        .size()
        .filter(|size| right && *size <= control.output_size as usize);
    let size = size.ok_or(STATUS_INVALID_PARAMETER)?;
    let mut answer = Region::new(size)?;
    let to = answer.bytes().get_mut(..size).ok_or(STATUS_NO_MEMORY)?;
    let count = with_all(control, question, kind, |from, layout, count| {
        let own = state::page().address;
        membership::with_members(|members| {
            cut(kind, (from, layout, count), (to, wanted), own, |id| {
                members.contains(id)
            })
        })?
    })?;
    let count = count.ok_or(STATUS_UNSUCCESSFUL)?;
    let data = wanted.sizes.iter().any(|size| *size != 0);
    let status = if data && count > wanted.room {
        STATUS_BUFFER_OVERFLOW
    } else {
        0
    };
    // As many as there are, but for data that has no room: then as many as have.
    let told = if status == 0 { count } else { wanted.room };
    if let Some(place) = to.first_chunk_mut::<COUNT>() {
        *place = (told as u32).to_le_bytes();
    }
    // SAFETY: the program's buffer, under guard; the kernel has written the block.
    unsafe {
        guard::copy(control.output, to.as_ptr().cast(), size)?;
        let mut io: IO_STATUS_BLOCK = guard::read(control.io)?;
        io.Anonymous.Status = status;
        io.Information = control.output_size as usize;
        guard::write(control.io, io)?;
    }
    Ok(status)
}

/// Runs `work` with the whole table, its layout and the number of its entries.
fn with_all<R>(
    control: Control,
    question: &Question,
    kind: Kind,
    work: impl FnOnce(&[u8], Layout, usize) -> R,
) -> Result<R, NTSTATUS> {
    /// The most entries that are asked for.
    const MANY: usize = 1 << 17;
    let mut room = 256;
    while room <= MANY {
        let layout = Layout {
            sizes: kind.sizes(),
            room,
        };
        let size = layout.size().ok_or(STATUS_NO_MEMORY)?;
        let region = Region::new(size)?;
        let whole = Question {
            sizes: kind.sizes().map(|size| size as u32),
            count: room as u32,
            ..*question
        };
        let input = (&raw const whole).cast();
        let (status, region) = Control { input, ..control }.into_region(region);
        match (status, region) {
            (STATUS_BUFFER_OVERFLOW, _) => room *= 4,
            (0, Some(mut region)) => {
                let bytes = region.bytes();
                let count = bytes.first_chunk().copied().map_or(0, u32::from_le_bytes);
                return Ok(work(bytes, layout, count as usize));
            }
            (status, _) => return Err(status),
        }
    }
    Err(STATUS_UNSUCCESSFUL)
}
