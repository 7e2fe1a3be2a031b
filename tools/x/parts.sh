# All that set-up consists of, in the order it is needed; each part is quick when it is there already. Sourced after lib.sh.
# shellcheck shell=bash
. "$X/packages.sh"
. "$X/debian.sh"
. "$X/rust.sh"
. "$X/wine.sh"
. "$X/wine10.sh"
. "$X/prefix.sh"
. "$X/nginx.sh"
. "$X/node.sh"

WINE_OLDEST=8

need_tools() {
    [ "$(uname -m)" = x86_64 ] || die "this needs an x86-64 machine; this one is $(uname -m)"
    need_packages gcc libc6-dev make git ca-certificates util-linux gcc-mingw-w64-x86-64
}

need_system_wine() {
    local version
    [ -n "$(wine_program wine)" ] || need_packages wine wine64
    version=$(run_wine system --version)
    if ! [[ $version =~ ^wine-([0-9]+) ]] || [ "${BASH_REMATCH[1]}" -lt $WINE_OLDEST ]; then
        die "this machine's Wine is '$version'; Pinion needs $WINE_OLDEST or newer: use ./x … --wine 10, or a newer distribution"
    fi
}

# The page of 'pinion map' is opened in it.
need_browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        PINION_BROWSER=$(command -v "$name") && break
    done
    [ -n "$PINION_BROWSER" ] || need_packages chromium
    PINION_BROWSER=${PINION_BROWSER:-$(command -v chromium)}
    export PINION_BROWSER
}

# set_up_to_build: what compiling needs.
set_up_to_build() {
    need_tools
    need_rust
}

# set_up_to_run WINE…: what running on those Wines needs.
set_up_to_run() {
    local which
    for which in "$@"; do
        if [ "$which" = system ]; then need_system_wine; else need_wine10; fi
        need_prefix "$which"
    done
    need_nginx
    need_browser
}

# set_up WINE…: all of it, one ./x at a time.
set_up() {
    say "Set-up (kept in $CACHE)"
    lock_cache
    set_up_to_build
    set_up_to_run "$@"
    unlock_cache
}
