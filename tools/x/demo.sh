#!/usr/bin/env bash
# The main job, shown: several copies of one unmodified web server side by side on one Windows.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"

run_tool demo pinion-demo "$@"
