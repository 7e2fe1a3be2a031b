# Runs one of the two Wines: "system" (the distribution's) or "10" (in the root made by wine10.sh). Sourced by verbs and wine-run;
# needs CACHE only. It makes nothing: prefix.sh makes prefixes, wine10.sh the root.
# shellcheck shell=bash

WINE10_ROOT=$CACHE/wine10-root

# The prefix of Wine $1.
wine_prefix() { printf '%s/prefix-%s' "$CACHE" "$1"; }

# The folder with the Wine programs themselves; /usr/bin/wine is a wrapper that complains of missing 32-bit parts.
wine_program() {
    local name=$1 candidate
    for candidate in "/usr/lib/wine/${name}64" "/usr/lib/wine/$name"; do
        [ -x "$candidate" ] && printf '%s' "$candidate" && return
    done
    command -v "$name"
}

# wine_env WHICH [PREFIX]: exports what Wine and the native harnesses need.
wine_env() {
    export PINION_WINE=$1 PINION_PREFIX=${2:-$(wine_prefix "$1")}
    export WINEPREFIX=$PINION_PREFIX WINEDEBUG=${WINEDEBUG:--all}
    # Neither .NET nor the browser engine: without them a new prefix asks to download both.
    export WINEDLLOVERRIDES=${WINEDLLOVERRIDES:-mscoree,mshtml=}
    unset WINELOADER WINESERVER WINEARCH DISPLAY WAYLAND_DISPLAY
}

# Replaces this process by PROGRAM ("wine" or "wineserver") of Wine WHICH; wine_env came before.
# Wine 10 needs its own C library: in a mount namespace of its own, the root's /usr takes the place of this machine's. All else
# (this folder, the prefix, /tmp, /proc) stays as it is, and the mounts vanish with the last process that sees them.
exec_wine() {
    local which=$1 program=$2
    shift 2
    if [ "$which" = system ]; then
        program=$(wine_program "$program") || { echo "wine-run: no Wine on this machine; run ./x setup" >&2; exit 127; }
        exec "$program" "$@"
    fi
    [ -e "$WINE10_ROOT/.complete" ] || { echo "wine-run: no Wine 10 in $WINE10_ROOT; run ./x setup --wine 10" >&2; exit 127; }
    local become=(unshare --mount) drop=()
    if [ "$(id -u)" -ne 0 ]; then
        become=(unshare --map-current-user --keep-caps --mount)
        drop=(setpriv --ambient-caps=-all --inh-caps=-all)
    fi
    # shellcheck disable=SC2016
    exec "${become[@]}" /bin/sh -c '
        mount --bind "$1/etc/ld.so.cache" /etc/ld.so.cache && mount --bind "$1/usr" /usr || {
            echo "wine-run: this machine does not let user $(id -u) make a mount namespace, which Wine 10 needs" >&2; exit 126; }
        shift; exec "$@"' wine-run "$WINE10_ROOT" "${drop[@]}" "/usr/lib/wine/${program}64" "$@"
}

# run_wine WHICH PROGRAM [ARGUMENT…]: a Windows program in the project's prefix.
run_wine() { (wine_env "$1" && exec_wine "$1" wine "${@:2}"); }

# wineserver_cmd WHICH ARGUMENT…: the prefix's wineserver, e.g. -k to end everything in it, -w to wait until it is idle.
wineserver_cmd() { (wine_env "$1" && exec_wine "$1" wineserver "${@:2}"); }
