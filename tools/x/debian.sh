# Where Debian's own archive is, for the two things taken from it on every distribution: the Wine 10 root and nginx's source.
# Sourced after lib.sh.
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
