# For verbs that are a row of checks: all are carried out, and what failed is named at the end. Sourced after lib.sh.
# shellcheck shell=bash

FAILED=()

# check LABEL COMMAND…: the command's output is the user's to see.
check() {
    local label=$1 start=$SECONDS rc=0
    shift
    say "== $label"
    "$@" </dev/null || rc=$?
    if [ "$rc" -eq 0 ]; then
        say "== $label: passed ($((SECONDS - start)) s)"
    else
        say "== $label: FAILED (exit $rc, $((SECONDS - start)) s)"
        FAILED+=("$label")
    fi
}

# end_checks VERB: the last line, and the exit code.
end_checks() {
    if [ ${#FAILED[@]} -eq 0 ]; then
        say "$1: all passed ($SECONDS s)"
        return
    fi
    printf 'failed: %s\n' "${FAILED[@]}"
    die "$1: ${#FAILED[@]} failed"
}
