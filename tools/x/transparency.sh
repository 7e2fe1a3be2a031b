#!/usr/bin/env bash
# The judges of transparency: Wine's own conformance tests and random operations, outside and inside a VM.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"
. "$X/winetests.sh"

tool_needs() {
    # Random operations need no more than the prefix.
    [[ " ${REST[*]} " != *" --seeds"* ]] || return 0
    lock_cache
    need_wine_tests "$1"
    unlock_cache
}

run_tool transparency pinion-transparency "$@"
