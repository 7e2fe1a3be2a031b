#!/usr/bin/env bash
# The property tests of the pure crates and of the front with new random cases, over and over, until the time is up or one fails; on the Wines that
# --wine names, with the random operations of ./x transparency by new seeds in between.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/crates.sh"
. "$X/checks.sh"

MINUTES=5 WINES=()
while [ $# -gt 0 ]; do
    case $1 in
        --minutes)
            [ $# -ge 2 ] || usage "--minutes needs a value"
            MINUTES=$2
            shift
            ;;
        --minutes=*) MINUTES=${1#*=} ;;
        --wine | --wine=*)
            if [ "$1" = --wine ]; then
                [ $# -ge 2 ] || usage "--wine needs a value"
                parse_options system --wine "$2"
                shift
            else
                parse_options system "$1"
            fi
            ;;
        -h | --help) exec "$X/help.sh" ;;
        *) usage "fuzz does not know '$1'" ;;
    esac
    shift
done
[[ $MINUTES =~ ^[1-9][0-9]*$ ]] || usage "--minutes $MINUTES: it is a whole number of minutes"

lock_cache
set_up_to_build
[ ${#WINES[@]} -eq 0 ] || set_up_to_run "${WINES[@]}"
unlock_cache
if [ ${#WINES[@]} -gt 0 ]; then
    build_programs
    step "build the random operations" native_cargo build --release -p pinion-transparency
fi
# The front's parser is not pure: its tests have sockets. It is fuzzed all the same.
FUZZED=("${PURE[@]}" -p pinion-front)
build_tests() { native_cargo test --release "${FUZZED[@]}" --no-run; }
step "build the property tests" build_tests

# random_seed WINE SEED: in a shell of its own, for its environment.
random_seed() { (harness_env "$1" && exec "$TARGET/release/pinion-transparency" --seeds 1 --seed "$2"); }

END=$((SECONDS + MINUTES * 60))
rounds=0
while [ $SECONDS -lt $END ]; do
    PROPTEST_RNG_SEED=$(od -An -N8 -tu8 /dev/urandom | tr -d ' ')
    export PROPTEST_RNG_SEED PROPTEST_CASES=4096
    run_step "round $((rounds + 1)), seed $PROPTEST_RNG_SEED" native_cargo test --release "${FUZZED[@]}"
    if [ "$RC" -ne 0 ]; then
        grep -A 40 'minimal failing input' "$LOG" | head -n 60 || tail -n 25 "$LOG"
        die "a property does not hold; try again with PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED ./x test --wine system. The whole log: $LOG"
    fi
    rounds=$((rounds + 1))
    for which in "${WINES[@]}"; do
        seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
        run_step "random operations, seed $seed, Wine $which" random_seed "$which" "$seed"
        if [ "$RC" -ne 0 ]; then
            tail -n 30 "$LOG"
            die "inside is not as outside; try again with ./x transparency --wine $which --seeds 1 --seed $seed. The whole log: $LOG"
        fi
    done
done
say "fuzz: no property failed in $rounds rounds ($SECONDS s)"
