#!/usr/bin/env bash
# The kernel's-eye audit: what confined processes really opened, told by wineserver's own log.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"

run_tool audit pinion-audit "$@"
