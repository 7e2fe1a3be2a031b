#!/usr/bin/env bash
# The property tests of the pure crates with new random cases, over and over, until the time is up or one fails.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/crates.sh"
. "$X/checks.sh"

MINUTES=5
while [ $# -gt 0 ]; do
    case $1 in
        --minutes)
            [ $# -ge 2 ] || usage "--minutes needs a value"
            MINUTES=$2
            shift
            ;;
        --minutes=*) MINUTES=${1#*=} ;;
        -h | --help) exec "$X/help.sh" ;;
        *) usage "fuzz does not know '$1'" ;;
    esac
    shift
done
[[ $MINUTES =~ ^[1-9][0-9]*$ ]] || usage "--minutes $MINUTES: it is a whole number of minutes"

lock_cache
set_up_to_build
unlock_cache
build_tests() { native_cargo test --release "${PURE[@]}" --no-run; }
step "build the property tests" build_tests

END=$((SECONDS + MINUTES * 60))
rounds=0
while [ $SECONDS -lt $END ]; do
    PROPTEST_RNG_SEED=$(od -An -N8 -tu8 /dev/urandom | tr -d ' ')
    export PROPTEST_RNG_SEED PROPTEST_CASES=4096
    run_step "round $((rounds + 1)), seed $PROPTEST_RNG_SEED" native_cargo test --release "${PURE[@]}"
    if [ "$RC" -ne 0 ]; then
        grep -A 40 'minimal failing input' "$LOG" | head -n 60 || tail -n 25 "$LOG"
        die "a property does not hold; try again with PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED ./x test --wine system. The whole log: $LOG"
    fi
    rounds=$((rounds + 1))
done
say "fuzz: no property failed in $rounds rounds ($SECONDS s)"
