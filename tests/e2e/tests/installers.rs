//! Installers inside: what they bring is in the VM's layer, works there, and is nowhere else.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Whether a file of this name lies anywhere below a folder.
fn holds(folder: &Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let path = entry.path();
        path.file_name().is_some_and(|found| found == name)
            || (entry.file_type().is_ok_and(|kind| kind.is_dir()) && holds(&path, name))
    })
}

fn setup(world: &World, vm: &str, arguments: &[&str]) -> Value {
    world.exec(vm, "setup", arguments).expect(0).json()
}

/// What an installed server is: its folder, its service, its class and its server's tag.
struct Installed<'a> {
    name: &'a str,
    service: &'a str,
    class: &'a str,
    tag: &'a str,
}

impl Installed<'_> {
    /// What the VM has of it.
    fn told(&self, world: &World, vm: &str) -> Value {
        setup(world, vm, &["tell", self.name, self.service, self.class])
    }

    /// Judges that all of it is in the VM and works there; its service runs afterwards.
    fn works_in(&self, world: &World, vm: &str) {
        let told = self.told(world, vm);
        for there in ["file", "shortcut"] {
            assert_eq!(told[there], true, "{there}: {told}");
        }
        assert_eq!(told["service"], 1, "it is there, stopped: {told}");
        for text in ["key", "class"] {
            assert!(told[text].is_string(), "{text}: {told}");
        }
        let called = world.exec(vm, "com_server", &["call", self.class]);
        let called = called.expect(0).json();
        assert_eq!(called["new"]["tag"], self.tag, "{called}");
        let start = world.pinion(["services", vm, "start", self.service]);
        start.run().ok();
        let upper = world.upper(vm);
        assert!(holds(&upper, "worker.exe"), "{}", upper.display());
        let link = format!("{}.lnk", self.name);
        assert!(holds(&upper, &link), "{}", upper.display());
    }

    /// Judges that nothing of it is on the host or in another VM.
    fn is_nowhere_else(&self, world: &World) {
        world.sleeper("other", 60);
        assert_eq!(self.told(world, "other"), nothing(), "in another VM");
        let host = world.host.program("setup");
        let told = host.args(["tell", self.name, self.service, self.class]);
        assert_eq!(told.run().expect(0).json(), nothing(), "on the host");
    }
}

/// What is told of what is not there.
fn nothing() -> Value {
    json!({
        "file": false, "shortcut": false,
        "key": { "error": 2 }, "class": { "error": 2 }, "service": { "error": 1060 },
    })
}

#[test]
fn a_set_up_program_installs_inside() {
    const CLASS: &str = "{5A1C0F3E-7B1D-4C7E-9A70-50494E494F4E}";
    let world = World::new();
    world.sleeper("own", 200);
    let [worker, server] = ["service_worker", "com_server"].map(|name| world.host.path_of(name));
    let told = setup(
        &world,
        "own",
        &["own", "PinionOwn", &worker, &server, CLASS],
    );
    let expected = json!({ "keys": [0, 0, 0], "service": 0, "shortcut": "0x00000000" });
    assert_eq!(told, expected);
    let installed = Installed {
        name: "PinionOwn",
        service: "PinionOwn",
        class: CLASS,
        tag: "PinionOwn",
    };
    installed.works_in(&world, "own");
    installed.is_nowhere_else(&world);
}

/// The source of a package of what [`Installed`] is, for the distribution's `wixl`.
fn package_source(class: &str) -> String {
    let digits = class.trim_matches(['{', '}']);
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Id="*" Name="PinionMsi" UpgradeCode="0d7b1f5e-3a56-4a0e-8f1a-50494e494f01" Language="1033"
   Version="1.0.0" Manufacturer="Pinion">
  <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/>
  <Media Id="1" Cabinet="own.cab" EmbedCab="yes"/>
  <Directory Id="TARGETDIR" Name="SourceDir">
   <Directory Id="ProgramMenuFolder"/>
   <Directory Id="ProgramFiles64Folder">
    <Directory Id="INSTALLDIR" Name="PinionMsi">
     <Component Id="Main" Guid="0d7b1f5e-3a56-4a0e-8f1a-50494e494f02" Win64="yes">
      <File Id="Worker" Name="worker.exe" Source="service_worker.exe" KeyPath="yes">
       <Shortcut Id="Menu" Directory="ProgramMenuFolder" Name="PinionMsi"/>
      </File>
      <ServiceInstall Id="Service" Name="PinionMsi" Type="ownProcess" Start="demand" ErrorControl="normal"/>
      <ServiceControl Id="Removal" Name="PinionMsi" Stop="both" Remove="uninstall" Wait="yes"/>
      <RegistryValue Root="HKLM" Key="Software\PinionMsi" Name="Installed" Type="string" Value="yes"/>
     </Component>
     <Component Id="Class" Guid="0d7b1f5e-3a56-4a0e-8f1a-50494e494f03" Win64="yes">
      <File Id="Server" Name="server.exe" Source="com_server.exe" KeyPath="yes"/>
      <RegistryValue Root="HKLM" Key="Software\Classes\CLSID\{class}\LocalServer32" Type="string"
        Value="&quot;[INSTALLDIR]server.exe&quot; serve {digits} PinionMsi"/>
     </Component>
    </Directory>
   </Directory>
  </Directory>
  <Feature Id="All" Level="1"><ComponentRef Id="Main"/><ComponentRef Id="Class"/></Feature>
 </Product>
</Wix>
"#
    )
}

/// The Windows path of the package.
fn package(world: &World, class: &str) -> String {
    let source = world.work().join("own.wxs");
    std::fs::write(&source, package_source(class)).expect("written");
    // It takes files by names without a folder only.
    for name in ["service_worker.exe", "com_server.exe"] {
        let (from, to) = (world.host.bin().join(name), world.work().join(name));
        std::fs::copy(from, to).expect("a copy");
    }
    let made = Command::new("wixl")
        .args(["-a", "x64", "-o", "own.msi", "own.wxs"])
        .current_dir(world.work())
        .output()
        .expect("wixl, of the package of this name");
    assert!(made.status.success(), "{made:?}");
    format!(r"{}\own.msi", world.windows_work())
}

#[test]
fn a_package_installs_inside_by_msiexec_and_goes_again() {
    const CLASS: &str = "{5A1C0F3E-7B1D-4C7E-9A70-50494E494F50}";
    const INSTALLED: Installed<'_> = Installed {
        name: "PinionMsi",
        service: "PinionMsi",
        class: CLASS,
        tag: "PinionMsi",
    };
    let world = World::new();
    let package = package(&world, CLASS);
    let msiexec = |vm: &str, act: &str| {
        let command = ["exec", vm, "msiexec.exe", act, &package, "/qn"];
        world.pinion(command).limit(120).run().ok();
    };
    let both = ["own", "same"];
    for vm in both {
        world.sleeper(vm, 300);
    }
    std::thread::scope(|scope| {
        for vm in both {
            let msiexec = &msiexec;
            scope.spawn(move || msiexec(vm, "/i"));
        }
    });
    for vm in both {
        INSTALLED.works_in(&world, vm);
    }
    msiexec("own", "/x");
    assert_eq!(INSTALLED.told(&world, "own"), nothing(), "it is gone");
    assert_eq!(INSTALLED.told(&world, "same")["service"], 4, "it runs on");
    INSTALLED.is_nowhere_else(&world);
}
