# What every verb shares: the paths, the words to the user, steps with progress, the options. Sourced; changes nothing by itself.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${PINION_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pinion}
TARGET=${CARGO_TARGET_DIR:-$REPO/target}
BIN=$TARGET/pinion/bin
LOGS=$CACHE/logs
X=$REPO/tools/x
STEP_PID=

say() { printf '%s\n' "$*"; }
die() {
    printf 'x: %s\n' "$*" >&2
    exit 1
}
usage() {
    printf 'x: %s. Try ./x help\n' "$*" >&2
    exit 2
}

# A background job of its own process group ignores Ctrl-C, so the group is ended by hand.
end_step() {
    [ -z "$STEP_PID" ] || kill -TERM -- "-$STEP_PID" 2>/dev/null || true
    exit 130
}
trap end_step INT TERM

# Waits for process group $1 and shows that work named $2 goes on.
watch_step() {
    local pid=$1 label=$2 start=$SECONDS shown=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        local elapsed=$((SECONDS - start))
        if [ -t 1 ]; then
            [ "$elapsed" -lt 1 ] || printf '\r  %s … %d s' "$label" "$elapsed"
        elif [ $((elapsed - shown)) -ge 15 ]; then
            shown=$elapsed
            say "  $label … $elapsed s"
        fi
    done
}

# Runs COMMAND… (a program or a function) with its output in LOG, shows that it goes on, and sets RC to its exit code.
run_step() {
    local label=$1
    shift
    mkdir -p "$LOGS"
    LOG=$LOGS/$(printf '%s' "$label" | tr -c 'A-Za-z0-9.' '-' | cut -c1-60).log
    RC=0
    set -m
    "$@" >"$LOG" 2>&1 </dev/null 9>&- &
    STEP_PID=$!
    set +m
    watch_step "$STEP_PID" "$label"
    wait "$STEP_PID" || RC=$?
    STEP_PID=
    [ ! -t 1 ] || printf '\r\033[K'
}

# step LABEL COMMAND…: one line when done; ends the script, with the end of the log, when it fails.
step() {
    local start=$SECONDS
    run_step "$@"
    if [ "$RC" -ne 0 ]; then
        say "  $1: failed after $((SECONDS - start)) s"
        tail -n 25 "$LOG" | sed 's/^/    | /'
        die "$1 failed (exit $RC); the whole log: $LOG"
    fi
    say "  $1: done ($((SECONDS - start)) s)"
}

# attempt LABEL COMMAND…: as step, but a failure is an answer. Programs only: set -e does not hold in a function tried this way.
attempt() {
    local start=$SECONDS
    run_step "$@"
    if [ "$RC" -eq 0 ]; then say "  $1: done ($((SECONDS - start)) s)"; else say "  $1: not to be had here"; fi
    return "$RC"
}

# Verbs that change the cache hold this lock, so that two of them at once do not disturb each other.
lock_cache() {
    mkdir -p "$CACHE" || die "cannot make the cache folder $CACHE; set PINION_CACHE to a folder that you may write"
    exec 9>"$CACHE/lock"
    flock -n 9 || {
        say "Another ./x is setting up in $CACHE; waiting for it"
        flock 9
    }
}
unlock_cache() { exec 9>&-; }

# parse_options DEFAULT_WINE [ARGUMENT…]: sets WINES (a list of "system" and "10"), JSON (a path or empty) and REST.
parse_options() {
    local wine=$1
    shift
    JSON='' REST=()
    while [ $# -gt 0 ]; do
        case $1 in
            --wine | --json)
                [ $# -ge 2 ] || usage "$1 needs a value"
                if [ "$1" = --wine ]; then wine=$2; else JSON=$2; fi
                shift
                ;;
            --wine=*) wine=${1#*=} ;;
            --json=*) JSON=${1#*=} ;;
            -h | --help) exec "$X/help.sh" ;;
            --)
                shift
                REST+=("$@")
                break
                ;;
            *) REST+=("$1") ;;
        esac
        shift
    done
    case $wine in
        system | 10) WINES=("$wine") ;;
        all) WINES=(system 10) ;;
        *) usage "--wine $wine: it is one of system, 10, all" ;;
    esac
    if [ -n "$JSON" ]; then JSON=$(realpath -m -- "$JSON"); fi
}

# no_more VERB: for verbs that hand nothing on.
no_more() { [ ${#REST[@]} -eq 0 ] || usage "$1 does not know '${REST[0]}'"; }
