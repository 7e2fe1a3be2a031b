//! Links the agent without a C runtime: its only import is ntdll.

fn main() {
    let windows = std::env::var("CARGO_CFG_WINDOWS").is_ok();
    let gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if windows && gnu {
        // `-lgcc` is the static stack probe only.
        for argument in [
            "-nostdlib",
            "-nostartfiles",
            "-Wl,--entry=0",
            "-Wl,--exclude-all-symbols",
            "-lgcc",
        ] {
            println!("cargo::rustc-cdylib-link-arg={argument}");
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
}
