# Runs one of the native tools (demo, audit, bench) on each chosen Wine. Sourced after lib.sh, parts.sh and programs.sh.
# shellcheck shell=bash

# With one Wine the tool writes JSON itself; with two, their values are put into one list, lists flattened.
join_json() {
    jq -s 'flatten(1)' "$@" >"$JSON"
    rm -f "$@"
}

# What the tool is started with, such as taskset; a verb may set it.
TOOL_PREFIX=()

# tool_needs WINE: what the tool needs besides on that Wine; a verb may define it.
tool_needs() { :; }

# run_tool VERB PACKAGE ARGUMENT…
run_tool() {
    local verb=$1 package=$2 which file written=() rc=0 arguments
    shift 2
    parse_options system "$@"
    set_up "${WINES[@]}"
    [ -z "$JSON" ] || [ ${#WINES[@]} -eq 1 ] || need_packages jq
    build_programs
    native_cargo build --release -p "$package"
    for which in "${WINES[@]}"; do
        # Not in the list below, where set -e does not hold.
        tool_needs "$which"
        arguments=("${REST[@]}")
        file=$JSON
        [ ${#WINES[@]} -eq 1 ] || file=$JSON.$which
        [ -z "$JSON" ] || arguments+=(--json "$file")
        (harness_env "$which" && "${TOOL_PREFIX[@]}" "$TARGET/release/$package" "${arguments[@]}") || rc=$?
        [ ! -e "$file" ] || written+=("$file")
        # What is kept to play with keeps its Wine, too.
        [[ " ${REST[*]} " == *" --keep "* ]] || wineserver_cmd "$which" -k >/dev/null 2>&1 || true
    done
    [ ${#written[@]} -lt 2 ] || join_json "${written[@]}"
    [ "$rc" -eq 0 ] || die "$verb failed (exit $rc)"
}
