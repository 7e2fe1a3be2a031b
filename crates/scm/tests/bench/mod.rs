//! A controller to try, with one client, and what its effects say.
#![allow(dead_code)] // Each test file uses a part of it.

use pinion_scm::{
    Client, Controller, Effect, HandleId, Message, Outcome, ProcessId, Record, Report, Settings,
    State, Text, Ticket,
};
use windows_sys::Win32::System::Services::{
    SC_MANAGER_ALL_ACCESS, SERVICE_ACCEPT_STOP, SERVICE_ALL_ACCESS,
};

pub const CLIENT: Client = Client(100);
pub const SERVICE: Client = Client(200);
pub const STOPPED: u32 = 1;
pub const START_PENDING: u32 = 2;
pub const RUNNING: u32 = 4;

/// A controller, its effects in order and one open manager handle.
pub struct Bench {
    pub controller: Controller,
    pub manager: HandleId,
}

pub fn text(s: &str) -> Text {
    Text::from(s)
}

pub fn record(name: &str) -> Record {
    let mut record = Record::new(text(name));
    record.image_path = text(&format!(r"C:\{name}.exe"));
    record
}

pub fn report(state: u32) -> Report {
    Report {
        service_type: 0x10,
        state,
        controls_accepted: SERVICE_ACCEPT_STOP,
        win32_exit_code: 0,
        specific_exit_code: 0,
        check_point: 0,
        wait_hint: 0,
    }
}

pub fn outcomes(effects: &[Effect]) -> Vec<(Ticket, Outcome)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Finished { ticket, outcome } => Some((*ticket, *outcome)),
            _ => None,
        })
        .collect()
}

pub fn started(effects: &[Effect]) -> Vec<(ProcessId, String)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::StartProcess {
                process, service, ..
            } => Some((*process, service.to_string())),
            _ => None,
        })
        .collect()
}

pub fn sent(effects: &[Effect]) -> Vec<(ProcessId, u32, Message)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send {
                process,
                sequence,
                message,
            } => Some((*process, *sequence, message.clone())),
            _ => None,
        })
        .collect()
}

impl Bench {
    pub fn new(records: Vec<Record>) -> Self {
        let mut controller = Controller::new(Settings::default());
        for record in records {
            controller.load(record).unwrap();
        }
        let manager = controller
            .open_manager(CLIENT, None, SC_MANAGER_ALL_ACCESS)
            .unwrap();
        Self {
            controller,
            manager,
        }
    }

    pub fn open(&mut self, name: &str) -> HandleId {
        self.controller
            .open_service(CLIENT, self.manager, &text(name), SERVICE_ALL_ACCESS)
            .unwrap()
    }

    /// Starts a service of its own process up to its first status.
    pub fn run(&mut self, handle: HandleId, pid: u32) -> (ProcessId, HandleId) {
        self.controller
            .start(0, CLIENT, handle, Vec::new(), Ticket(1));
        let process = started(&self.controller.take_effects())[0].0;
        self.controller.process_started(process, pid);
        self.controller
            .dispatcher_connected(0, Client(pid))
            .unwrap();
        let messages = sent(&self.controller.take_effects());
        let Message::Start { status_handle, .. } = messages[0].2 else {
            panic!("no start was sent");
        };
        self.controller.answered(0, process, messages[0].1, 0);
        self.controller
            .set_status(0, Client(pid), status_handle, &report(RUNNING))
            .unwrap();
        let done = outcomes(&self.controller.take_effects());
        assert_eq!(done[0].0, Ticket(1));
        assert_eq!(done[0].1.unwrap().state, State::Running);
        (process, status_handle)
    }

    pub fn state(&self, handle: HandleId) -> State {
        self.controller.status(CLIENT, handle).unwrap().state
    }
}
