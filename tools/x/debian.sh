# Debian's own archive, for what is taken from it on every distribution: the Wine 10 root, nginx's source, Wine's tests. Sourced after
# lib.sh and packages.sh.
# shellcheck shell=bash disable=SC2034

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The archive that this machine uses already; where it is no Debian, the one that debootstrap has built in.
debian_mirror() {
    local mirror
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 'Created-By: Packages' 2>/dev/null | head -n 1)
    [ -n "$mirror" ] || mirror=$(sed -n 's/^DEF_MIRROR="\(.*\)"/\1/p' "$(command -v debootstrap || echo /usr/sbin/debootstrap)")
    [ -n "$mirror" ] || die "no Debian mirror known on this machine"
    printf '%s' "${mirror%/}"
}

# private_apt SUITE KINDS ARGUMENT…: apt-get with a configuration of its own, in which there is only Debian's SUITE, as deb-src or as
# both ("deb-src deb"). The machine's own sources stay as they are, and nobody needs to be root.
private_apt() {
    local suite=$1 kinds=$2 state=$CACHE/apt-$1 kind
    shift 2
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/parts"
    for kind in $kinds; do
        printf '%s [signed-by=%s] %s %s main\n' "$kind" "$DEBIAN_KEYRING" "$(debian_mirror)" "$suite"
    done >"$state/sources.list"
    apt-get -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts="$state/parts" -o Dir::State::Lists="$state/lists" \
        -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=false -q "$@"
}

# What private_apt needs on any distribution.
need_debian_archive() {
    [ -e "$DEBIAN_KEYRING" ] || need_packages debian-archive-keyring
    command -v debootstrap >/dev/null || [ "$(. /etc/os-release && echo "$ID")" = debian ] || need_packages debootstrap
}
