//! Owns the shape of a line of `wineserver -d1`: thread, request or reply, status. Knows no request by name but the events.
//!
//! Observed on Wine 8 and Wine 10:
//! `0024: create_mutex( access=001f0001, … )`, `0024: create_mutex() = OBJECT_NAME_EXISTS { handle=006c }`,
//! `0024: *killed* exit_code=0`, `0020: *process killed*`. Ids are hexadecimal. The server has one thread, so a reply
//! follows its request with no other request of the same thread between them.

use crate::value::Fields;

/// One line, borrowed from the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Line<'a> {
    /// A thread asks the server for something.
    Request {
        /// The asking thread.
        tid: u32,
        /// The request, e.g. `create_mutex`.
        name: &'a str,
        /// Its arguments, read on demand.
        fields: Fields<'a>,
    },
    /// The server answers.
    Reply {
        /// The thread that asked.
        tid: u32,
        /// The request that is answered.
        name: &'a str,
        /// How it ended.
        status: Status<'a>,
        /// What came back.
        fields: Fields<'a>,
    },
    /// The last thread of this process is gone, its handles with it.
    ProcessGone {
        /// The process.
        pid: u32,
    },
    /// This thread is gone: an unanswered request of it stays unanswered.
    ThreadGone {
        /// The thread.
        tid: u32,
    },
    /// Another event (`*fd*`, `*wakeup*`, `*sent signal*`), or a message of the server itself.
    Other,
    /// It begins like a request or reply and does not end like one: cut off or damaged.
    Unreadable,
}

/// The status of a reply as the log writes it: 0, the name of an NT status without `STATUS_`, or hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status<'a>(pub &'a str);

impl Status<'_> {
    /// Did the request do what it asked? True for success and informational statuses, pending included.
    pub fn succeeded(self) -> bool {
        const INFORMATIONAL: [&str; 6] = [
            "OBJECT_NAME_EXISTS",
            "PENDING",
            "KERNEL_APC",
            "USER_APC",
            "ALERTED",
            "REPARSE",
        ];
        match u32::from_str_radix(self.0, 16) {
            Ok(value) => value < 0x8000_0000,
            Err(_) => INFORMATIONAL.contains(&self.0),
        }
    }

    /// Was the object there before, so that a create only opened it?
    pub fn existed(self) -> bool {
        self.0 == "OBJECT_NAME_EXISTS"
    }

    /// Was the name looked up in its directory and nothing of that name there?
    pub fn not_found(self) -> bool {
        self.0 == "OBJECT_NAME_NOT_FOUND"
    }
}

/// Reads one line, without its line end. Never fails: what is no line of the protocol is [`Line::Other`].
pub fn parse(line: &str) -> Line<'_> {
    let Some((id, rest)) = line.split_once(": ") else {
        return Line::Other;
    };
    let Some(id) = thread_id(id) else {
        return Line::Other;
    };
    if let Some(event) = rest.strip_prefix('*') {
        return match event {
            "process killed*" => Line::ProcessGone { pid: id },
            _ if event.starts_with("killed*") => Line::ThreadGone { tid: id },
            _ => Line::Other,
        };
    }
    let Some((name, rest)) = rest.split_once('(') else {
        return Line::Unreadable;
    };
    if name.is_empty()
        || !name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        return Line::Unreadable;
    }
    match rest.strip_prefix(") = ") {
        Some(rest) => reply(id, name, rest),
        None => match rest
            .strip_prefix(' ')
            .and_then(|rest| rest.strip_suffix(')'))
        {
            Some(fields) => Line::Request {
                tid: id,
                name,
                fields: Fields::new(fields.trim_end_matches(' ')),
            },
            None => Line::Unreadable,
        },
    }
}

fn reply<'a>(tid: u32, name: &'a str, rest: &'a str) -> Line<'a> {
    let (status, fields) = match rest.split_once(" { ") {
        Some((status, fields)) => match fields.strip_suffix(" }") {
            Some(fields) => (status, fields),
            None => return Line::Unreadable,
        },
        None => (rest, ""),
    };
    if status.is_empty()
        || !status
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Line::Unreadable;
    }
    Line::Reply {
        tid,
        name,
        status: Status(status),
        fields: Fields::new(fields),
    }
}

/// Ids are written with at least four hexadecimal digits, in lower case.
fn thread_id(text: &str) -> Option<u32> {
    let digits = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if (4..=8).contains(&text.len()) && digits {
        u32::from_str_radix(text, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_and_its_reply() {
        let Line::Request {
            tid: 0x24,
            name: "open_event",
            fields,
        } = parse(
            r#"0024: open_event( access=001f0003, attributes=00000000, rootdir=0068, name=L"l" )"#,
        )
        else {
            panic!("no request")
        };
        assert_eq!(fields.hex("rootdir"), Some(0x68));
        let Line::Reply {
            tid: 0x24,
            name: "open_event",
            status,
            fields,
        } = parse("0024: open_event() = OBJECT_NAME_NOT_FOUND { handle=0000 }")
        else {
            panic!("no reply")
        };
        assert!(!status.succeeded());
        assert_eq!(fields.hex("handle"), Some(0));
    }

    #[test]
    fn empty_requests_and_replies() {
        assert!(matches!(
            parse("0024: get_process_winstation( )"),
            Line::Request { .. }
        ));
        assert!(matches!(
            parse("0024: close_handle() = 0"),
            Line::Reply {
                status: Status("0"),
                ..
            }
        ));
    }

    #[test]
    fn events_are_told_apart() {
        assert_eq!(
            parse("0100: *process killed*"),
            Line::ProcessGone { pid: 0x100 }
        );
        assert_eq!(
            parse("0104: *killed* exit_code=0"),
            Line::ThreadGone { tid: 0x104 }
        );
        assert_eq!(parse("0024: *fd* 0004 -> 20"), Line::Other);
        assert_eq!(parse("wineserver: starting (pid=11403)"), Line::Other);
    }

    #[test]
    fn what_is_cut_off_is_said_to_be() {
        assert_eq!(
            parse(r#"0024: open_event( access=001f0003, name=L"l"#),
            Line::Unreadable
        );
        assert_eq!(parse("0024: open_event() = 0 { handle"), Line::Unreadable);
        assert_eq!(parse("0024: open_ev"), Line::Unreadable);
    }

    #[test]
    fn statuses() {
        for good in ["0", "1", "OBJECT_NAME_EXISTS", "PENDING", "40000001"] {
            assert!(Status(good).succeeded(), "{good}");
        }
        for bad in ["c0000022", "ACCESS_DENIED", "BUFFER_OVERFLOW", "80000005"] {
            assert!(!Status(bad).succeeded(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC*") {
            let _ = parse(&line);
        }

        #[test]
        fn no_damaged_line_makes_it_panic(cut in 0usize..200, noise in "[ -~]{0,8}") {
            let line = r#"0024: create_mutex( access=001f0001, owned=0, objattr={rootdir=0068,attributes=00000080,sd={},name=L"caf\xe9\"q\\b,}"} )"#;
            let cut = cut.min(line.len());
            let damaged = format!("{}{noise}{}", &line[..cut], &line[(cut + 3).min(line.len())..]);
            if let Line::Request { fields, .. } = parse(&damaged) {
                let _ = fields.group("objattr").and_then(|group| group.wide("name"));
                for (_, value) in fields {
                    let _ = value.hex();
                }
            }
        }
    }
}
