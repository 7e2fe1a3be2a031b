#!/usr/bin/env bash
# The main job, shown: several copies of one unmodified web server side by side on one Windows; with 'groups', replicas that mask faults.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"

# Groups are shown with a Node server, too.
tool_needs() { [[ " ${REST[*]} " != *" groups "* ]] || need_node; }

run_tool demo pinion-demo "$@"
