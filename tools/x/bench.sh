#!/usr/bin/env bash
# The figures for speed and memory, as ratios inside one run.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"

run_tool bench pinion-bench "$@"
