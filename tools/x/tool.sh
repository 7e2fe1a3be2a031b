# Runs one of the native tools (demo, audit, bench) on each chosen Wine. Sourced after lib.sh, parts.sh and programs.sh.
# shellcheck shell=bash

# With one Wine the tool writes JSON itself; with two, their values are put into one list, lists flattened.
join_json() {
    need_packages jq
    jq -s 'flatten(1)' "$@" >"$JSON"
}

# run_tool VERB PACKAGE ARGUMENT…
run_tool() {
    local verb=$1 package=$2 which written=() rc=0 arguments
    shift 2
    parse_options system "$@"
    set_up "${WINES[@]}"
    build_programs
    native_cargo build --release -p "$package"
    for which in "${WINES[@]}"; do
        arguments=("${REST[@]}")
        if [ -n "$JSON" ]; then
            written+=("$JSON")
            [ ${#WINES[@]} -eq 1 ] || written[-1]=$JSON.$which
            arguments+=(--json "${written[-1]}")
        fi
        (harness_env "$which" && "$TARGET/release/$package" "${arguments[@]}") || rc=$?
    done
    if [ ${#written[@]} -gt 1 ] && [ "$rc" -eq 0 ]; then
        join_json "${written[@]}"
        rm -f "${written[@]}"
    fi
    [ "$rc" -eq 0 ] || die "$verb failed (exit $rc)"
}
