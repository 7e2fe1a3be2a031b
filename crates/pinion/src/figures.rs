//! The figures of VMs as Prometheus reads them (text format 0.0.4). Pure.

use std::fmt::Write;

/// What one VM uses, since its start where it is a count.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// The VM's name.
    pub vm: String,
    /// Its id.
    pub id: String,
    /// Whether it runs; all else is 0 if not.
    pub up: bool,
    /// Processor time of its living processes in milliseconds.
    pub cpu_ms: u64,
    /// Their private memory in bytes.
    pub memory: u64,
    /// Processes now.
    pub processes: u64,
    /// Processes since the start.
    pub processes_ever: u64,
    /// Handles of its living processes; 0 where the system does not tell.
    pub handles: u64,
    /// Names that were given a private place.
    pub names_private: u64,
    /// Opens that were refused.
    pub refused: u64,
    /// Whether events are recorded now.
    pub recording: bool,
    /// Events recorded.
    pub events: u64,
    /// Events lost.
    pub lost: u64,
}

/// A figure: its name, kind and help, and its value as it is written.
type Line = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Figures) -> String,
);

const LINES: [Line; 11] = [
    ("pinion_vm_up", "gauge", "Whether the VM runs.", |vm| {
        u64::from(vm.up).to_string()
    }),
    (
        "pinion_vm_cpu_seconds",
        "gauge",
        "Processor time of its living processes.",
        |vm| format!("{}.{:03}", vm.cpu_ms / 1000, vm.cpu_ms % 1000),
    ),
    (
        "pinion_vm_memory_bytes",
        "gauge",
        "Private memory of its living processes.",
        |vm| vm.memory.to_string(),
    ),
    ("pinion_vm_processes", "gauge", "Processes now.", |vm| {
        vm.processes.to_string()
    }),
    (
        "pinion_vm_processes_started_total",
        "counter",
        "Processes since the VM's start.",
        |vm| vm.processes_ever.to_string(),
    ),
    (
        "pinion_vm_handles",
        "gauge",
        "Handles of its living processes.",
        |vm| vm.handles.to_string(),
    ),
    (
        "pinion_vm_names_private_total",
        "counter",
        "Names given a private place since the VM's start.",
        |vm| vm.names_private.to_string(),
    ),
    (
        "pinion_vm_refused_total",
        "counter",
        "Opens refused since the VM's start.",
        |vm| vm.refused.to_string(),
    ),
    (
        "pinion_vm_recording",
        "gauge",
        "Whether events are recorded.",
        |vm| u64::from(vm.recording).to_string(),
    ),
    (
        "pinion_vm_events_total",
        "counter",
        "Events recorded since the VM's start.",
        |vm| vm.events.to_string(),
    ),
    (
        "pinion_vm_events_lost_total",
        "counter",
        "Events lost since the VM's start.",
        |vm| vm.lost.to_string(),
    ),
];

/// All figures of all VMs.
pub fn prometheus(all: &[Figures]) -> String {
    let mut text = String::new();
    for (name, kind, help, value) in LINES {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        // What is not told is no zero.
        let is_told = |vm: &&Figures| name != "pinion_vm_handles" || vm.handles > 0 || !vm.up;
        for vm in all.iter().filter(is_told) {
            let (label, id, value) = (escaped(&vm.vm), escaped(&vm.id), value(vm));
            let _ = writeln!(text, "{name}{{vm=\"{label}\",id=\"{id}\"}} {value}");
        }
    }
    text
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_has_its_help_its_type_and_a_line_for_each_vm() {
        let vm = |name: &str| Figures {
            vm: name.into(),
            id: "1".into(),
            up: true,
            cpu_ms: 1234,
            ..Figures::default()
        };
        let text = prometheus(&[vm("web"), vm("a\"b")]);
        assert!(text.contains(
            "# HELP pinion_vm_cpu_seconds Processor time of its living processes.\n\
             # TYPE pinion_vm_cpu_seconds gauge\n\
             pinion_vm_cpu_seconds{vm=\"web\",id=\"1\"} 1.234\n\
             pinion_vm_cpu_seconds{vm=\"a\\\"b\",id=\"1\"} 1.234\n"
        ));
        // All but the handles, which are not told here.
        assert_eq!(text.lines().count(), LINES.len() * 4 - 2);
    }
}
