#!/usr/bin/env bash
# The figures for speed and memory, as ratios inside one run.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"
. "$X/tool.sh"

# Linux's autogroup shares the processor among sessions, and every program of Wine has one of its own. Of two nginx that do the same
# system calls in the same time, one then answers up to a fifth fewer requests (observed on Wine 8). In a control group there is no
# autogroup; only root makes one.
leave_group() {
    [ -z "$GROUP" ] || { echo $$ >"${GROUP%/*}/cgroup.procs" && rmdir "$GROUP"; } 2>/dev/null || true
}

join_group() {
    local above
    for above in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
        GROUP=$above/pinion-bench-$$
        if [ -e "$above/cgroup.procs" ] && mkdir "$GROUP" 2>/dev/null; then
            trap leave_group EXIT
            if compgen -G "$GROUP/cpu.*" >/dev/null && echo $$ >"$GROUP/cgroup.procs"; then return; fi
            rmdir "$GROUP"
        fi
    done
    GROUP=
    [ "$(cat /proc/sys/kernel/sched_autogroup_enabled 2>/dev/null)" != 1 ] ||
        say "Note: Linux's autogroup is on and no control group can be made; nginx's requests inside may come out lower than they are"
}

# Wine's programs and its server on one core: spread over several, a call to the server takes one of two very different times,
# by chance (observed on Wine 8).
TOOL_PREFIX=(taskset -c 0)
GROUP=
join_group

# HAProxy is what groups are compared with; one benchmark alone needs Node.
tool_needs() {
    if [ ${#REST[@]} -eq 0 ] || [[ " ${REST[*]} " == *" group "* ]]; then need_packages haproxy; fi
    if [ ${#REST[@]} -eq 0 ] || [[ " ${REST[*]} " == *"build "* ]]; then need_npm; fi
}

run_tool bench pinion-bench "$@"
