# Makes the Wine 10 root: Debian 13 as small as debootstrap makes it, with its wine in it. Only for --wine 10 and all. Sourced after
# lib.sh, packages.sh and debian.sh. A root is complete when it has its stamp; one without is thrown away and made again.
# shellcheck shell=bash

# Steps inside the root see /proc in a mount namespace of their own, so that no mount is left behind when one is interrupted.
in_root() {
    # shellcheck disable=SC2016
    as_root unshare --mount /bin/sh -c 'mount -t proc proc "$1/proc"; exec chroot "$@"' in-root "$@"
}

install_in_root() {
    in_root "$1" /usr/bin/env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin apt-get install -y -q --no-install-recommends wine wine64
    in_root "$1" /usr/bin/env PATH=/usr/sbin:/usr/bin apt-get clean
}

remove_tree() {
    [ -e "$1" ] || return 0
    # Deepest first: a root made by hand, or half made, may have mounts in it, and what is mounted is not ours to remove.
    awk -v below="$1/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do as_root umount "$mount"; done
    as_root rm -rf --one-file-system "$1"
}

need_wine10() {
    local root=$CACHE/wine10-root mirror
    if [ -e "$root/.complete" ]; then
        say "  Wine 10 root: there"
        return
    fi
    need_packages debootstrap debian-archive-keyring
    need_root "making the Wine 10 root"
    mirror=$(debian_mirror)
    say "Making the Wine 10 root in $root: Debian 13 and its wine, about 1 GB"
    remove_tree "$root"
    step "Wine 10 root (debootstrap)" as_root debootstrap --variant=minbase --keyring="$DEBIAN_KEYRING" trixie "$root" "$mirror"
    step "Wine 10 root (its wine)" install_in_root "$root"
    [ -x "$root/usr/lib/wine/wine64" ] || die "the root $root has no /usr/lib/wine/wine64"
    as_root chmod 755 "$root"
    as_root touch "$root/.complete"
}
