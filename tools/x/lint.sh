#!/usr/bin/env bash
# What is checked besides tests: formatting, clippy (with a reason for each unsafe block), the type check for MSVC, licences and
# sources of dependencies, the shell scripts. Ends with the longest files, for the reader.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/crates.sh"
. "$X/cargo-deny.sh"

need_lint_tools() {
    if [ "$RUST_MODE" = build-std ]; then
        need_packages rust-web-clippy rustfmt-web
    elif ! cargo clippy --version >/dev/null 2>&1 || ! cargo fmt --version >/dev/null 2>&1; then
        attempt "clippy and rustfmt (rustup)" rustup component add clippy rustfmt || die "this Rust has no clippy and rustfmt; install both"
    fi
    need_packages shellcheck
    need_cargo_deny
}

msvc_types() {
    if [ "$RUST_MODE" = build-std ] || ! add_target "$MSVC"; then
        say "Type check for $MSVC: SKIPPED, its standard library is not to be had here"
        return
    fi
    say "Type check for $MSVC"
    (cd "$REPO" && cargo check "${LOCKED[@]}" --target "$MSVC" --all-targets "${WINDOWS_TESTED[@]}" "${WINDOWS_ONLY[@]}")
}

shell_scripts() {
    say "Shell scripts (shellcheck)"
    (cd "$REPO" && shellcheck -x -P tools/x x .ci/run tools/x/*.sh tools/x/wine-run)
}

longest_files() {
    say "The longest files, in lines:"
    (cd "$REPO" && git ls-files -z '*.rs' | xargs -0 -r wc -l | grep -v ' total$' | sort -rn | head -n 5)
}

parse_options system "$@"
no_more lint
lock_cache
set_up_to_build
need_lint_tools
unlock_cache

say "Formatting"
(cd "$REPO" && cargo fmt --all --check)
say "clippy, for Windows"
windows_cargo clippy --all-targets "${WINDOWS_TESTED[@]}" "${WINDOWS_ONLY[@]}" -- -D warnings
say "clippy, for the build machine"
native_cargo clippy --all-targets "${NATIVE[@]}" -p pinion-e2e -- -D warnings
msvc_types
say "Licences and sources of dependencies (cargo-deny)"
(cd "$REPO" && "$DENY" check licenses bans sources)
shell_scripts
longest_files
say "Lint passed in $SECONDS s"
