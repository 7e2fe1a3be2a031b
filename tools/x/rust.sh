# The Rust that builds for x86_64-pc-windows-gnu: one that has the target, rustup's, or Debian's with its standard library built from
# source. Sourced after lib.sh and packages.sh. need_rust sets RUST_MODE to "target" or "build-std".
# shellcheck shell=bash disable=SC2034

GNU=x86_64-pc-windows-gnu
MSVC=x86_64-pc-windows-msvc
# What CI tests is what Cargo.lock says; a developer's build may bring it up to date.
LOCKED=()
[ -z "${CI:-}" ] || LOCKED=(--locked)
export PATH="$HOME/.cargo/bin:$PATH"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc

has_target() {
    local sysroot
    sysroot=$(cd "$REPO" && rustc --print sysroot 2>/dev/null) && compgen -G "$sysroot/lib/rustlib/$1/lib/libcore-*" >/dev/null
}

has_cargo() { cargo --version >/dev/null 2>&1 && rustc --version >/dev/null 2>&1; }

add_target() {
    has_target "$1" && return
    command -v rustup >/dev/null && attempt "Rust target $1 (rustup)" rustup target add "$1" && has_target "$1"
}

# Distributions that package rustup itself: it brings a toolchain, and the target where it can be reached.
rustup_from_packages() {
    available rustup || return 1
    need_packages rustup
    attempt "Rust toolchain (rustup)" rustup toolchain install stable --profile minimal --component clippy --component rustfmt && return
    # What this script brought in vain would be in the way of the distribution's own Rust.
    step "Removing rustup again" as_root apt-get remove -y -q rustup
    return 1
}

debian_rust() {
    say "Rust's target for Windows cannot be had; taking the distribution's Rust, and building the standard library from source"
    need_packages rustc-web cargo-web rust-web-src rust-web-llvm
}

# Sets RUST_MODE, and in mode build-std makes every cargo call use the distribution's.
need_rust() {
    if has_cargo && add_target "$GNU"; then
        RUST_MODE=target
    elif ! has_cargo && { available rustup || update_lists; } && rustup_from_packages && add_target "$GNU"; then
        RUST_MODE=target
    else
        debian_rust
        RUST_MODE=build-std
        export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 PATH="/usr/bin:$PATH"
    fi
    say "  Rust for Windows: $(rustc --version) ($RUST_MODE)"
}

# windows_cargo SUBCOMMAND ARGUMENT…: cargo for the Windows target. Tests unwind, and a core built from source can serve one way only.
windows_cargo() {
    local subcommand=$1 extra=()
    shift
    (
        cd "$REPO" || exit
        if [ "$RUST_MODE" = build-std ]; then
            extra=("-Zbuild-std=std,panic_abort")
            [ "$subcommand" != test ] || export CARGO_PROFILE_DEV_PANIC=unwind
        fi
        cargo "$subcommand" "${LOCKED[@]}" --target "$GNU" "${extra[@]}" "$@"
    )
}

# native_cargo SUBCOMMAND ARGUMENT…: cargo for this machine.
native_cargo() { (cd "$REPO" && cargo "$1" "${LOCKED[@]}" "${@:2}"); }
