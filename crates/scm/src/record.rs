//! Owns the configuration of one service, as its registry key holds it, and
//! the rules that a configuration must keep. Reads and writes no registry.

use alloc::vec::Vec;

use windows_sys::Win32::System::Services as services;

use crate::error::{Result, Win32Error};
use crate::failure::{Action, FailureActions};
use crate::security::Descriptor;
use crate::text::Text;
use crate::trigger::Trigger;

/// Longest service name and display name, in code units (documented).
pub const MAX_NAME: usize = 256;

/// Longest other text of a record, in code units.
pub const MAX_TEXT: usize = 4096;

/// Most code units of all texts of a record but its description, so that a
/// configuration fits one message between a program and the controller.
pub const MAX_UNITS: usize = 7000;

/// Most dependencies of one service.
pub const MAX_DEPENDENCIES: usize = 128;

/// `SERVICE_USER_SERVICE` and `SERVICE_USERSERVICE_INSTANCE` (winnt.h): a template
/// of which each user who logs on gets an own service, and such a service. Nobody
/// logs on to a VM.
const OF_USERS: u32 = 0x40 | 0x80;

const KNOWN_TYPES: u32 = services::SERVICE_KERNEL_DRIVER
    | services::SERVICE_FILE_SYSTEM_DRIVER
    | services::SERVICE_WIN32_OWN_PROCESS
    | services::SERVICE_WIN32_SHARE_PROCESS;

/// `SERVICE_INTERACTIVE_PROCESS`.
const INTERACTIVE: u32 = 0x100;

/// The account of a service that names none.
pub const LOCAL_SYSTEM: &str = "LocalSystem";

/// One service as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name of the key.
    pub name: Text,
    /// `DisplayName`; empty means the name.
    pub display_name: Text,
    /// `Type`: `SERVICE_WIN32_OWN_PROCESS` and so on.
    pub service_type: u32,
    /// `Start`: `SERVICE_DEMAND_START` and so on.
    pub start_type: u32,
    /// `ErrorControl`
    pub error_control: u32,
    /// `ImagePath`, not expanded.
    pub image_path: Text,
    /// `Group`
    pub group: Text,
    /// `Tag`; 0 is none.
    pub tag: u32,
    /// `DependOnService`, and `DependOnGroup` with a `+` before each.
    pub depend_on: Vec<Text>,
    /// `ObjectName`
    pub account: Text,
    /// `Description`
    pub description: Text,
    /// `DelayedAutostart`
    pub delayed_auto_start: bool,
    /// `PreshutdownTimeout`, milliseconds
    pub preshutdown_timeout: u32,
    /// `FailureActionsOnNonCrashFailures`
    pub failure_actions_on_non_crash: bool,
    /// `ServiceSidType`
    pub sid_type: u32,
    /// `FailureActions`, `FailureCommand`, `RebootMessage`
    pub failure: FailureActions,
    /// `RequiredPrivileges`; only kept.
    pub privileges: Vec<Text>,
    /// `TriggerInfo`; only kept.
    pub triggers: Vec<Trigger>,
    /// `Security`: who may do what with it.
    pub security: Descriptor,
    /// Whether the VM has made or changed it, and not the host alone. In no
    /// registry: who loads the record says it.
    pub own: bool,
    /// For a driver that is loaded by a program inside the VM, that program's
    /// command line; empty for any other. In no registry: who loads the record says it.
    pub driver_host: Text,
}

impl Record {
    /// A record with documented defaults: own process, started on demand.
    pub fn new(name: Text) -> Self {
        Self {
            name,
            display_name: Text::new(),
            service_type: services::SERVICE_WIN32_OWN_PROCESS,
            start_type: services::SERVICE_DEMAND_START,
            error_control: services::SERVICE_ERROR_NORMAL,
            image_path: Text::new(),
            group: Text::new(),
            tag: 0,
            depend_on: Vec::new(),
            account: Text::from(LOCAL_SYSTEM),
            description: Text::new(),
            delayed_auto_start: false,
            preshutdown_timeout: 180_000,
            failure_actions_on_non_crash: false,
            sid_type: 0,
            failure: FailureActions::default(),
            privileges: Vec::new(),
            triggers: Vec::new(),
            security: Descriptor::default(),
            own: false,
            driver_host: Text::new(),
        }
    }

    /// What a user sees as the name.
    pub fn shown_name(&self) -> &Text {
        if self.display_name.is_empty() {
            &self.name
        } else {
            &self.display_name
        }
    }

    /// Whether the service is a driver, which a VM cannot load but by a
    /// [`Self::driver_host`].
    pub fn is_driver(&self) -> bool {
        self.service_type & services::SERVICE_DRIVER != 0
    }

    /// The command line of the process that runs it.
    pub fn program(&self) -> &Text {
        if self.is_driver() {
            &self.driver_host
        } else {
            &self.image_path
        }
    }

    /// Whether several services of one image share a process.
    pub fn shares_process(&self) -> bool {
        self.service_type & services::SERVICE_WIN32_SHARE_PROCESS != 0
    }

    /// Whether it is a driver that the host's kernel loads, if anyone: what needs it
    /// finds it as the host has it.
    pub fn is_hosts_driver(&self) -> bool {
        self.is_driver() && self.driver_host.is_empty() && !self.own
    }

    /// Whether it starts with the VM.
    pub fn starts_by_itself(&self) -> bool {
        self.own && self.start_type == services::SERVICE_AUTO_START && !self.is_driver()
    }

    /// The groups of which one service must run before this one.
    pub fn groups_before(&self) -> impl Iterator<Item = Text> {
        self.depend_on
            .iter()
            .filter_map(|name| name.after_first(b'+'))
    }

    /// The services, not the groups, that must run before this one.
    pub fn services_before(&self) -> impl Iterator<Item = &Text> {
        self.depend_on
            .iter()
            .filter(|name| name.after_first(b'+').is_none())
    }

    /// Checks everything that does not depend on other services.
    pub fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        if self.display_name.len() > MAX_NAME {
            return Err(Win32Error::INVALID_NAME);
        }
        self.check_type()?;
        self.check_start()?;
        self.failure.check()?;
        crate::trigger::check(&self.triggers)?;
        if self.error_control > services::SERVICE_ERROR_CRITICAL {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let texts = [
            &self.image_path,
            &self.group,
            &self.account,
            &self.description,
        ];
        if texts.iter().any(|text| text.len() > MAX_TEXT)
            || (self.image_path.is_empty() && !self.is_driver())
            || self.depend_on.len() > MAX_DEPENDENCIES
            || self
                .depend_on
                .iter()
                .any(|name| name.is_empty() || name.len() > MAX_NAME + 1)
            || self.units() > MAX_UNITS
            || self.privileges.len() > MAX_DEPENDENCIES
            || self.privileges.iter().any(|name| name.len() > MAX_NAME)
        {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        Ok(())
    }

    fn units(&self) -> usize {
        let texts = [
            &self.name,
            &self.display_name,
            &self.image_path,
            &self.group,
            &self.account,
        ];
        texts
            .into_iter()
            .chain(&self.depend_on)
            .map(|text| text.len() + 1)
            .sum()
    }

    fn check_type(&self) -> Result<()> {
        let kind = self.service_type & !INTERACTIVE;
        let process = services::SERVICE_WIN32_OWN_PROCESS | services::SERVICE_WIN32_SHARE_PROCESS;
        if kind & OF_USERS != 0 && kind & process != 0 {
            return Err(Win32Error::NOT_SUPPORTED);
        }
        let interactive = self.service_type & INTERACTIVE != 0;
        if !kind.is_power_of_two() || kind & !KNOWN_TYPES != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let system = self.account.same_name(&Text::from(LOCAL_SYSTEM)) || self.account.is_empty();
        if interactive && (self.is_driver() || !system) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        Ok(())
    }

    fn check_start(&self) -> Result<()> {
        let early = matches!(
            self.start_type,
            services::SERVICE_BOOT_START | services::SERVICE_SYSTEM_START
        );
        if self.start_type > services::SERVICE_DISABLED || (early && !self.is_driver()) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        Ok(())
    }
}

/// Checks a service name: 1 to 256 code units, no slash of either kind.
pub fn check_name(name: &Text) -> Result<()> {
    if name.is_empty()
        || name.len() > MAX_NAME
        || name.contains(b'/')
        || name.contains(b'\\')
        || name.contains(0)
    {
        return Err(Win32Error::INVALID_NAME);
    }
    Ok(())
}

/// What `ChangeServiceConfig` and `ChangeServiceConfig2` replace; `None`
/// leaves a value as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// See [`Record::display_name`].
    pub display_name: Option<Text>,
    /// See [`Record::service_type`].
    pub service_type: Option<u32>,
    /// See [`Record::start_type`].
    pub start_type: Option<u32>,
    /// See [`Record::error_control`].
    pub error_control: Option<u32>,
    /// See [`Record::image_path`].
    pub image_path: Option<Text>,
    /// See [`Record::group`].
    pub group: Option<Text>,
    /// See [`Record::depend_on`].
    pub depend_on: Option<Vec<Text>>,
    /// See [`Record::account`].
    pub account: Option<Text>,
    /// See [`Record::description`].
    pub description: Option<Text>,
    /// See [`Record::delayed_auto_start`].
    pub delayed_auto_start: Option<bool>,
    /// See [`Record::preshutdown_timeout`].
    pub preshutdown_timeout: Option<u32>,
    /// See [`Record::failure_actions_on_non_crash`].
    pub failure_actions_on_non_crash: Option<bool>,
    /// See [`Record::sid_type`].
    pub sid_type: Option<u32>,
    /// The reset period and the actions, which are only changed together.
    pub failure_actions: Option<(u32, Vec<Action>)>,
    /// See [`FailureActions::command`].
    pub failure_command: Option<Text>,
    /// See [`FailureActions::reboot_message`].
    pub reboot_message: Option<Text>,
    /// See [`Record::privileges`].
    pub privileges: Option<Vec<Text>>,
    /// See [`Record::triggers`].
    pub triggers: Option<Vec<Trigger>>,
}

impl Change {
    /// The record with the change made; not checked.
    pub fn apply(self, old: &Record) -> Record {
        let mut failure = old.failure.clone();
        if let Some((reset_period, actions)) = self.failure_actions {
            // No action: the period goes, too (documented).
            failure.reset_period = if actions.is_empty() { 0 } else { reset_period };
            failure.actions = actions;
        }
        failure.command = self.failure_command.unwrap_or(failure.command);
        failure.reboot_message = self.reboot_message.unwrap_or(failure.reboot_message);
        Record {
            failure,
            name: old.name.clone(),
            privileges: self.privileges.unwrap_or_else(|| old.privileges.clone()),
            triggers: self.triggers.unwrap_or_else(|| old.triggers.clone()),
            security: old.security.clone(),
            own: true,
            tag: old.tag,
            driver_host: old.driver_host.clone(),
            display_name: self
                .display_name
                .unwrap_or_else(|| old.display_name.clone()),
            service_type: self.service_type.unwrap_or(old.service_type),
            start_type: self.start_type.unwrap_or(old.start_type),
            error_control: self.error_control.unwrap_or(old.error_control),
            image_path: self.image_path.unwrap_or_else(|| old.image_path.clone()),
            group: self.group.unwrap_or_else(|| old.group.clone()),
            depend_on: self.depend_on.unwrap_or_else(|| old.depend_on.clone()),
            account: self.account.unwrap_or_else(|| old.account.clone()),
            description: self.description.unwrap_or_else(|| old.description.clone()),
            delayed_auto_start: self.delayed_auto_start.unwrap_or(old.delayed_auto_start),
            preshutdown_timeout: self.preshutdown_timeout.unwrap_or(old.preshutdown_timeout),
            failure_actions_on_non_crash: self
                .failure_actions_on_non_crash
                .unwrap_or(old.failure_actions_on_non_crash),
            sid_type: self.sid_type.unwrap_or(old.sid_type),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid() -> Record {
        let mut record = Record::new(Text::from("worker"));
        record.image_path = Text::from(r"C:\worker.exe");
        record
    }

    #[test]
    fn names_follow_the_documented_rule() {
        assert_eq!(check_name(&Text::from("")), Err(Win32Error::INVALID_NAME));
        assert_eq!(
            check_name(&Text::from("a/b")),
            Err(Win32Error::INVALID_NAME)
        );
        assert_eq!(
            check_name(&Text::from(r"a\b")),
            Err(Win32Error::INVALID_NAME)
        );
        let long = Text::from(alloc::vec![0x61; 257]);
        assert_eq!(check_name(&long), Err(Win32Error::INVALID_NAME));
        assert_eq!(check_name(&Text::from(alloc::vec![0x61; 256])), Ok(()));
    }

    #[test]
    fn bad_types_and_starts_are_refused() {
        assert_eq!(valid().check(), Ok(()));
        for (service_type, start_type) in [
            (0, 3),
            (0x30, 3),
            (0x101, 3),
            (0x40, 3),
            (0x10, 0),
            (0x20, 1),
            (0x10, 5),
        ] {
            let mut record = valid();
            record.service_type = service_type;
            record.start_type = start_type;
            assert_eq!(
                record.check(),
                Err(Win32Error::INVALID_PARAMETER),
                "{service_type:#x} {start_type}"
            );
        }
    }

    #[test]
    fn services_of_users_are_told_apart_from_nonsense() {
        for (service_type, error) in [
            (0x50, Win32Error::NOT_SUPPORTED),
            (0x60, Win32Error::NOT_SUPPORTED),
            (0xd0, Win32Error::NOT_SUPPORTED),
            (0x40, Win32Error::INVALID_PARAMETER),
        ] {
            let mut record = valid();
            record.service_type = service_type;
            assert_eq!(record.check(), Err(error), "{service_type:#x}");
        }
    }

    #[test]
    fn interactive_services_run_as_the_system() {
        let mut record = valid();
        record.service_type |= INTERACTIVE;
        assert_eq!(record.check(), Ok(()));
        record.account = Text::from("somebody");
        assert_eq!(record.check(), Err(Win32Error::INVALID_PARAMETER));
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let old = valid();
        let change = Change {
            start_type: Some(4),
            ..Change::default()
        };
        let new = change.apply(&old);
        assert_eq!(new.start_type, 4);
        assert_eq!(
            Record {
                start_type: 3,
                own: false,
                ..new
            },
            old
        );
    }
}
