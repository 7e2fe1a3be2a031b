# Tells a broken end-to-end test from an unsteady one. Sourced after lib.sh and checks.sh.
# Both Wines have races of their own that a test meets once in some hundred runs. A test that failed must then pass three times by
# itself; it is still named at the end, with its first failure in the output above.
# shellcheck shell=bash

UNSTEADY=()
# More than these at once are no races.
UNSTEADY_MOST=3
AGAIN=3

# end_to_end NAME OF WINE ARGUMENT…: all end-to-end tests, with cargo's arguments for the tests.
end_to_end() {
    local wine=$1 log=$LOGS/end-to-end.log rc=0 failed turn
    shift
    mkdir -p "$LOGS"
    native_cargo test --no-fail-fast -p pinion-e2e -- "$@" 2>&1 | tee "$log" || rc=$?
    [ "$rc" -ne 0 ] || return 0
    mapfile -t failed < <(sed -n 's/^test \([A-Za-z0-9_:]*\) \.\.\. FAILED$/\1/p' "$log" | sort -u)
    if [ ${#failed[@]} -eq 0 ] || [ ${#failed[@]} -gt $UNSTEADY_MOST ]; then
        return "$rc"
    fi
    for ((turn = 1; turn <= AGAIN; turn++)); do
        say "== once more, by themselves ($turn of $AGAIN): ${failed[*]}"
        native_cargo test -q -p pinion-e2e -- --exact "${failed[@]}" || return
    done
    UNSTEADY+=("${failed[@]/%/ ($wine)}")
}

# What end_checks shows before its last line.
tell_unsteady() {
    [ ${#UNSTEADY[@]} -eq 0 ] || printf 'unsteady, failed once and then passed %s times: %s\n' "$AGAIN" "${UNSTEADY[@]}"
}
