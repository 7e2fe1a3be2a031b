# Distribution packages: installs what is missing, names it first, and is the only place that uses root. Sourced after lib.sh.
# shellcheck shell=bash

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Asks for the password now, in the foreground: a step that runs in the background cannot.
need_root() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null || die "$1 needs root, and there is no sudo: run ./x setup once as root, then go on as you are"
    sudo -v || die "$1 needs root, and sudo refused: run ./x setup once as root"
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
available() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }

update_lists() {
    [ -z "${LISTS_UPDATED:-}" ] || return 0
    need_root "updating the package lists"
    step "Package lists (apt-get update)" as_root apt-get update -q
    LISTS_UPDATED=yes
}

# Never at the price of a package that the user has.
install_now() {
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -q --no-remove --no-install-recommends "$@"
}

# need_packages PACKAGE…: all of them, installed by the distribution.
need_packages() {
    local package missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "this needs Debian or Ubuntu (apt-get); install by hand: ${missing[*]}"
    update_lists
    for package in "${missing[@]}"; do
        available "$package" || die "the package '$package' is not to be had from this machine's package sources; enable the one that has it (on Ubuntu: universe)"
    done
    need_root "installing ${missing[*]}"
    say "Installing packages: ${missing[*]}"
    step "Packages (apt-get install)" install_now "${missing[@]}"
}
