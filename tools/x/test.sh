#!/usr/bin/env bash
# Every test: unit and property tests natively, the same crates' tests on Wine, the end-to-end tests on Wine.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/crates.sh"
. "$X/checks.sh"
. "$X/winetests.sh"
. "$X/steady.sh"

# Whatever a test left running would hold this script's stdout open.
end_wines() {
    local wine
    for wine in "${WINES[@]}"; do wineserver_cmd "$wine" -k >/dev/null 2>&1 || true; done
}

# A server that stays. Wine 8's own wish to end three seconds after the last program can outlive the next program's start: one that
# starts just then ends with code 1 and says nothing.
stay_up() {
    wineserver_cmd "$1" -k || true
    wineserver_cmd "$1" -w || true
    wineserver_cmd "$1" -p
}

# Those of Wine's own tests that are steady and take a minute at most; ./x transparency runs all.
JUDGES=(ntdll:directory ntdll:env ntdll:file ntdll:info ntdll:om ntdll:path ntdll:pipe ntdll:reg ntdll:rtl kernelbase: advapi32:registry)

# The same cases each time: what a change breaks is told by the change's own run. ./x fuzz tries new ones.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}

parse_options all "$@"
[ -z "$JSON" ] || usage "test has no --json"
WITH_NODE=
for index in "${!REST[@]}"; do
    [ "${REST[index]}" != --node ] || { WITH_NODE=yes && unset "REST[index]"; }
done
set_up "${WINES[@]}"
# In front of groups; what makes a package for msiexec.
need_packages haproxy wixl
[ -z "$WITH_NODE" ] || need_node
build_programs
native_cargo build --release -p pinion-transparency
trap end_wines EXIT

check "native tests" native_cargo test --no-fail-fast --workspace "${WITHOUT_UNIT_TESTS[@]}" --exclude pinion-e2e -- "${REST[@]}"
for wine in "${WINES[@]}"; do
    stay_up "$wine" >/dev/null 2>&1 </dev/null 9>&-
    harness_env "$wine"
    name=$(run_wine "$wine" --version)
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$X/wine-run $wine $PINION_PREFIX"
    check "tests for Windows, $name" windows_cargo test --no-fail-fast --workspace "${NOT_FOR_WINDOWS[@]}" "${WITHOUT_UNIT_TESTS[@]}" --lib --bins --tests -- "${REST[@]}"
    check "end-to-end tests, $name" end_to_end "$name" "${REST[@]}"
    [ -z "$WITH_NODE" ] || check "end-to-end tests with Node, $name" native_cargo test -p pinion-e2e --test node -- --ignored
    # Who asks for single tests by their names has none of these in mind.
    if [ ${#REST[@]} -eq 0 ]; then
        lock_cache
        need_wine_tests "$wine"
        unlock_cache
        check "Wine's own tests of names, files and keys, $name" "$TARGET/release/pinion-transparency" "${JUDGES[@]}"
    fi
    # A server that stays may keep the port of a program that was killed, which the next Wine's tests listen at.
    wineserver_cmd "$wine" -k >/dev/null 2>&1 || true
done
tell_unsteady
end_checks test
