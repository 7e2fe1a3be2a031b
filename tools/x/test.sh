#!/usr/bin/env bash
# Every test: the pure crates and tools natively, the unit tests of the Windows crates on Wine, the end-to-end tests on Wine.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/crates.sh"

parse_options all "$@"
[ -z "$JSON" ] || usage "test has no --json"
set_up "${WINES[@]}"
build_programs

say "Tests of the pure crates and the tools"
native_cargo test --no-fail-fast "${NATIVE[@]}" -- "${REST[@]}"

for wine in "${WINES[@]}"; do
    harness_env "$wine"
    say "Unit tests of the Windows crates ($(run_wine "$wine" --version))"
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$X/wine-run $wine $PINION_PREFIX"
    windows_cargo test --no-fail-fast "${WINDOWS_TESTED[@]}" -- "${REST[@]}"
    say "End-to-end tests ($(run_wine "$wine" --version))"
    native_cargo test --no-fail-fast -p pinion-e2e -- --test-threads=2 "${REST[@]}"
    wineserver_cmd "$wine" -k || true
done
say "All tests passed on: ${WINES[*]} ($SECONDS s)"
