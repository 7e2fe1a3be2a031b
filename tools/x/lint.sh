#!/usr/bin/env bash
# What is checked besides tests: formatting, clippy (with a reason for each unsafe block), the type check for MSVC, licences and
# sources of dependencies, the shell scripts. Ends with the longest files, for the reader.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/crates.sh"
. "$X/cargo-deny.sh"
. "$X/checks.sh"

need_lint_tools() {
    if [ "$RUST_MODE" = build-std ]; then
        need_packages rust-web-clippy rustfmt-web
    elif ! cargo clippy --version >/dev/null 2>&1 || ! cargo fmt --version >/dev/null 2>&1; then
        attempt "clippy and rustfmt (rustup)" rustup component add clippy rustfmt || die "this Rust has no clippy and rustfmt; install both"
    fi
    need_packages shellcheck
    need_cargo_deny
}

formatting() { (cd "$REPO" && cargo fmt --all --check); }
msvc_types() { (cd "$REPO" && cargo check "${LOCKED[@]}" --target "$MSVC" "$@"); }
licences() { (cd "$REPO" && "$DENY" check licenses bans sources); }
shell_scripts() { (cd "$REPO" && shellcheck -x -P tools/x x .ci/run tools/x/*.sh tools/x/wine-run); }

longest_files() {
    say "The longest files, in lines:"
    (cd "$REPO" && git ls-files -z '*.rs' | xargs -0 -r wc -l | grep -v ' total$' | sort -rn | head -n 5) || true
}

parse_options system "$@"
no_more lint
lock_cache
set_up_to_build
need_lint_tools
unlock_cache

check "formatting" formatting
# The agent has calls of its own, as in programs.sh.
check "clippy for Windows, agent" windows_cargo clippy -p pinion-agent -- -D warnings
check "clippy for Windows" windows_cargo clippy --workspace --exclude pinion-agent "${NOT_FOR_WINDOWS[@]}" -- -D warnings
check "clippy for Windows, tests" windows_cargo clippy --workspace "${NOT_FOR_WINDOWS[@]}" "${WITHOUT_UNIT_TESTS[@]}" --tests -- -D warnings
check "clippy for this machine" native_cargo clippy "${NATIVE_ONLY[@]}" --all-targets -- -D warnings
if [ "$RUST_MODE" = target ] && add_target "$MSVC"; then
    check "type check for $MSVC, agent" msvc_types -p pinion-agent
    check "type check for $MSVC" msvc_types --workspace --exclude pinion-agent "${NOT_FOR_WINDOWS[@]}"
else
    say "== type check for $MSVC: SKIPPED, its standard library is not to be had here"
fi
check "licences and sources" licences
check "shell scripts" shell_scripts
longest_files
end_checks lint
