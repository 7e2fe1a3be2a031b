# Builds the Windows programs in release and gathers them in BIN. Sourced after lib.sh and parts.sh.
# shellcheck shell=bash

# The agent has a cargo call of its own: it has no standard library, and in one call with the others the features of shared crates
# would be united. pinion.exe has one, too: it is made small, which takes long, and only it need be.
build_programs() {
    local built=$TARGET/$GNU/release file
    say "Building for Windows"
    windows_cargo build --profile agent -p pinion-agent
    windows_cargo build --profile program -p pinion
    windows_cargo build --release -p pinion-players -p pinion-test-programs -p pinion-early-dll -p pinion-web-service -p pinion-http-stand-in
    rm -rf "$BIN.new"
    mkdir -p "$BIN.new"
    for file in "$built"/*.exe "$built"/*.dll "$TARGET/$GNU/agent/pinion_agent.dll" "$TARGET/$GNU/program/pinion.exe"; do
        [ ! -e "$file" ] || cp "$file" "$BIN.new/"
    done
    for file in pinion.exe pinion_agent.dll; do
        [ -e "$BIN.new/$file" ] || die "the build left no $file in $built"
    done
    rm -rf "$BIN"
    mv "$BIN.new" "$BIN"
    say "Built: $BIN"
}

# harness_env WINE: what the native harnesses (tests, demo, audit, bench) read.
harness_env() {
    wine_env "$1"
    export PINION_BIN=$BIN PINION_NGINX=$NGINX_DIR PINION_NODE=$NODE_DIR PINION_WINE_RUN=$X/wine-run PINION_CACHE=$CACHE
}
