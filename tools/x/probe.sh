#!/usr/bin/env bash
# The probes: programs in two VMs and on the host that try to get at one another, for each channel in every way that is known.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"

# verify WINE ARGUMENT…: `pinion verify` with its standard output in a file: what it leaves running would hold a pipe open.
verify() {
    local which=$1 rc=0
    shift
    harness_env "$which"
    (cd "$PINION_PREFIX/drive_c" && "$X/wine-run" "$which" "$PINION_PREFIX" "$BIN/pinion.exe" verify "$@") >"$OUT" </dev/null || rc=$?
    return "$rc"
}

# --mutate: leaves out one hook of the agent after another, and looks for a probe that fails.
if [[ " $* " == *" --mutate "* ]]; then
    arguments=()
    for argument in "$@"; do [ "$argument" = --mutate ] || arguments+=("$argument"); done
    run_tool probe pinion-mutate "${arguments[@]}"
    exit
fi

parse_options system "$@"
set_up "${WINES[@]}"
[ -z "$JSON" ] || need_packages jq
build_programs
mkdir -p "$LOGS"
OUT=$LOGS/probe.out written=() failed=0
for which in "${WINES[@]}"; do
    say "Probes on $(run_wine "$which" --version)"
    rc=0
    if [ -n "$JSON" ]; then
        verify "$which" --json "${REST[@]}" || rc=$?
        jq . "$OUT" >"$JSON.$which" || die "pinion verify gave no JSON (exit $rc); see $OUT"
        written+=("$JSON.$which")
        jq -r '.rows[] | select(.result == "fail") | "  fail  \(.channel): \(.way): \(.detail)"' "$OUT"
        jq -r '.rows | group_by(.result)[] | "  \(length) \(.[0].result)"' "$OUT"
    else
        verify "$which" "${REST[@]}" || rc=$?
        cat "$OUT"
    fi
    [ "$rc" -eq 0 ] || failed=1
    wineserver_cmd "$which" -k >/dev/null 2>&1 || true
done
if [ ${#written[@]} -eq 1 ]; then mv "${written[0]}" "$JSON"; elif [ ${#written[@]} -gt 1 ]; then join_json "${written[@]}"; fi
[ "$failed" -eq 0 ] || die "probe: some ways failed; each row says why and what to do"
