#!/usr/bin/env bash
# The figures for speed and memory, as ratios inside one run.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"

# Wine's programs and its server on one core: spread over several, a call to the server takes one of two very different times,
# by chance (observed on Wine 8).
TOOL_PREFIX=(taskset -c 0)
run_tool bench pinion-bench "$@"
