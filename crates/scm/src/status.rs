//! Owns what a service is doing: its state, its status and the controls it
//! takes. Pure values; the moves between states are the controller's.

use windows_sys::Win32::System::Services as services;

use crate::error::{Result, Win32Error};

/// `dwCurrentState` of `SERVICE_STATUS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// `SERVICE_STOPPED`
    Stopped,
    /// `SERVICE_START_PENDING`
    StartPending,
    /// `SERVICE_STOP_PENDING`
    StopPending,
    /// `SERVICE_RUNNING`
    Running,
    /// `SERVICE_CONTINUE_PENDING`
    ContinuePending,
    /// `SERVICE_PAUSE_PENDING`
    PausePending,
    /// `SERVICE_PAUSED`
    Paused,
}

impl State {
    /// The number of the state in the service API.
    pub fn code(self) -> u32 {
        match self {
            Self::Stopped => services::SERVICE_STOPPED,
            Self::StartPending => services::SERVICE_START_PENDING,
            Self::StopPending => services::SERVICE_STOP_PENDING,
            Self::Running => services::SERVICE_RUNNING,
            Self::ContinuePending => services::SERVICE_CONTINUE_PENDING,
            Self::PausePending => services::SERVICE_PAUSE_PENDING,
            Self::Paused => services::SERVICE_PAUSED,
        }
    }

    /// The state of a number of the service API.
    pub fn from_code(code: u32) -> Result<Self> {
        Ok(match code {
            services::SERVICE_STOPPED => Self::Stopped,
            services::SERVICE_START_PENDING => Self::StartPending,
            services::SERVICE_STOP_PENDING => Self::StopPending,
            services::SERVICE_RUNNING => Self::Running,
            services::SERVICE_CONTINUE_PENDING => Self::ContinuePending,
            services::SERVICE_PAUSE_PENDING => Self::PausePending,
            services::SERVICE_PAUSED => Self::Paused,
            _ => return Err(Win32Error::INVALID_DATA),
        })
    }

    /// `SERVICE_NOTIFY_*` of the state: they are numbered alike (winsvc.h).
    pub fn notify_bit(self) -> u32 {
        1 << (self.code() - 1)
    }

    /// Whether `SERVICE_ACTIVE` (else `SERVICE_INACTIVE`) covers the state.
    pub fn is_active(self) -> bool {
        self != Self::Stopped
    }
}

/// `SERVICE_STATUS_PROCESS` of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// `dwServiceType`
    pub service_type: u32,
    /// `dwCurrentState`
    pub state: State,
    /// `dwControlsAccepted`: `SERVICE_ACCEPT_*`
    pub controls_accepted: u32,
    /// `dwWin32ExitCode`
    pub win32_exit_code: u32,
    /// `dwServiceSpecificExitCode`
    pub specific_exit_code: u32,
    /// `dwCheckPoint`
    pub check_point: u32,
    /// `dwWaitHint`, milliseconds
    pub wait_hint: u32,
    /// `dwProcessId`; 0 while no process runs the service
    pub process_id: u32,
}

impl Status {
    /// A service that no process runs.
    pub fn stopped(service_type: u32, win32_exit_code: u32) -> Self {
        Self {
            service_type,
            state: State::Stopped,
            controls_accepted: 0,
            win32_exit_code,
            specific_exit_code: 0,
            check_point: 0,
            wait_hint: 0,
            process_id: 0,
        }
    }
}

/// What a service says of itself with `SetServiceStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// `dwServiceType`
    pub service_type: u32,
    /// `dwCurrentState`
    pub state: u32,
    /// `dwControlsAccepted`
    pub controls_accepted: u32,
    /// `dwWin32ExitCode`
    pub win32_exit_code: u32,
    /// `dwServiceSpecificExitCode`
    pub specific_exit_code: u32,
    /// `dwCheckPoint`
    pub check_point: u32,
    /// `dwWaitHint`, milliseconds
    pub wait_hint: u32,
}

/// The right that sending a control needs.
///
/// Controls that only the system sends are `ERROR_INVALID_PARAMETER`, as the
/// documentation of `ControlService` says.
pub fn right_for_control(control: u32) -> Result<u32> {
    match control {
        services::SERVICE_CONTROL_STOP => Ok(services::SERVICE_STOP),
        services::SERVICE_CONTROL_INTERROGATE => Ok(services::SERVICE_INTERROGATE),
        services::SERVICE_CONTROL_PAUSE
        | services::SERVICE_CONTROL_CONTINUE
        | services::SERVICE_CONTROL_PARAMCHANGE
        | services::SERVICE_CONTROL_NETBINDADD
        | services::SERVICE_CONTROL_NETBINDREMOVE
        | services::SERVICE_CONTROL_NETBINDENABLE
        | services::SERVICE_CONTROL_NETBINDDISABLE => Ok(services::SERVICE_PAUSE_CONTINUE),
        128..=255 => Ok(services::SERVICE_USER_DEFINED_CONTROL),
        _ => Err(Win32Error::INVALID_PARAMETER),
    }
}

/// Whether a service in this status may be sent the control, by the table in
/// the documentation of `ControlService`.
pub fn accepts(status: &Status, control: u32) -> Result<()> {
    match status.state {
        State::Stopped => return Err(Win32Error::SERVICE_NOT_ACTIVE),
        State::StopPending => return Err(Win32Error::SERVICE_CANNOT_ACCEPT_CTRL),
        State::StartPending if control != services::SERVICE_CONTROL_STOP => {
            return Err(Win32Error::SERVICE_CANNOT_ACCEPT_CTRL);
        }
        _ => {}
    }
    let needed = match control {
        services::SERVICE_CONTROL_STOP => services::SERVICE_ACCEPT_STOP,
        services::SERVICE_CONTROL_PAUSE | services::SERVICE_CONTROL_CONTINUE => {
            services::SERVICE_ACCEPT_PAUSE_CONTINUE
        }
        services::SERVICE_CONTROL_PARAMCHANGE => services::SERVICE_ACCEPT_PARAMCHANGE,
        services::SERVICE_CONTROL_NETBINDADD
        | services::SERVICE_CONTROL_NETBINDREMOVE
        | services::SERVICE_CONTROL_NETBINDENABLE
        | services::SERVICE_CONTROL_NETBINDDISABLE => services::SERVICE_ACCEPT_NETBINDCHANGE,
        _ => return Ok(()),
    };
    if status.controls_accepted & needed == 0 {
        return Err(Win32Error::INVALID_SERVICE_CONTROL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_numbers_go_there_and_back() {
        for code in 1..=7 {
            assert_eq!(State::from_code(code).unwrap().code(), code);
        }
        assert_eq!(State::from_code(0), Err(Win32Error::INVALID_DATA));
        assert_eq!(State::from_code(8), Err(Win32Error::INVALID_DATA));
    }

    #[test]
    fn the_documented_table_of_controls() {
        let stop = services::SERVICE_CONTROL_STOP;
        let interrogate = services::SERVICE_CONTROL_INTERROGATE;
        let mut status = Status::stopped(services::SERVICE_WIN32_OWN_PROCESS, 0);
        status.controls_accepted = services::SERVICE_ACCEPT_STOP;
        assert_eq!(accepts(&status, stop), Err(Win32Error::SERVICE_NOT_ACTIVE));
        status.state = State::StartPending;
        assert_eq!(accepts(&status, stop), Ok(()));
        assert_eq!(
            accepts(&status, interrogate),
            Err(Win32Error::SERVICE_CANNOT_ACCEPT_CTRL)
        );
        status.state = State::StopPending;
        assert_eq!(
            accepts(&status, stop),
            Err(Win32Error::SERVICE_CANNOT_ACCEPT_CTRL)
        );
        status.state = State::Running;
        assert_eq!(accepts(&status, interrogate), Ok(()));
        assert_eq!(
            accepts(&status, services::SERVICE_CONTROL_PAUSE),
            Err(Win32Error::INVALID_SERVICE_CONTROL)
        );
    }
}
