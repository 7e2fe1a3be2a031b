# Tells a broken end-to-end test from an unsteady one. Sourced after lib.sh and checks.sh.
# Both Wines have races of their own that a test meets once in some hundred runs. A test that failed must then pass three times by
# itself; it is still named at the end, with its first failure in the output above.
# shellcheck shell=bash

UNSTEADY=()
FAILED_TESTS=()
# What they said, shown once more at the end: far above it is not found.
SAID=()
SAID_LINES=60
# More than these at once are no races.
UNSTEADY_MOST=3
AGAIN=3

# named_failures LOG: sets FAILED_TESTS to the tests that failed. Fails where cargo's log tells of more than that: a program of
# tests that crashed or was not built has no line for what it did not tell.
named_failures() {
    local log=$1 lines targets results counted
    mapfile -t lines < <(sed -n 's/^test \([A-Za-z0-9_:]*\) \.\.\. FAILED$/\1/p' "$log")
    targets=$(sed -n 's/^error: \([0-9]*\) targets\? failed:$/\1/p' "$log")
    read -r results counted < <(awk '/^test result: FAILED\./ { n++; failed += $6 } END { print n + 0, failed + 0 }' "$log")
    [ "${targets:-0}" -gt 0 ] && [ "$targets" -eq "$results" ] && [ "${#lines[@]}" -eq "$counted" ] || return
    mapfile -t FAILED_TESTS < <(printf '%s\n' "${lines[@]}" | sort -u)
}

# end_to_end NAME OF WINE ARGUMENT…: all end-to-end tests, with cargo's arguments for the tests.
end_to_end() {
    local wine=$1 log=$LOGS/end-to-end.log rc=0 turn
    shift
    mkdir -p "$LOGS"
    native_cargo test --no-fail-fast -p pinion-e2e -- "$@" 2>&1 | tee "$log" || rc=$?
    [ "$rc" -ne 0 ] || return 0
    SAID+=("$(what_failures_said "$log")")
    if ! named_failures "$log" || [ ${#FAILED_TESTS[@]} -gt $UNSTEADY_MOST ]; then
        return "$rc"
    fi
    for ((turn = 1; turn <= AGAIN; turn++)); do
        say "== once more, by themselves ($turn of $AGAIN): ${FAILED_TESTS[*]}"
        native_cargo test -q -p pinion-e2e -- --exact "${FAILED_TESTS[@]}" 2>&1 | tee "$log" || { rc=$? && SAID+=("$(what_failures_said "$log")") && return "$rc"; }
    done
    UNSTEADY+=("${FAILED_TESTS[@]/%/ ($wine)}")
}

# what_failures_said LOG: the first lines of each failed test's own output.
what_failures_said() {
    awk -v most="$SAID_LINES" '/^---- .* stdout ----$/ { left = most } /^(stack backtrace:|failures:|test result:)/ { left = 0 } left-- > 0' "$1"
}

# What end_checks shows before its last line.
tell_unsteady() {
    [ ${#SAID[@]} -eq 0 ] || printf '%s\n' "${SAID[@]}"
    [ ${#UNSTEADY[@]} -eq 0 ] || printf "unsteady, failed once and then passed $AGAIN times: %s\\n" "${UNSTEADY[@]}"
}
