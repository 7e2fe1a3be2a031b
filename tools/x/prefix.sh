# Makes the project's Wine prefixes, one for each Wine, in the cache. Sourced after lib.sh and wine.sh.
# A prefix is made anew when its recipe (this file, its registry entries, the ProcessPrng DLL) or the Wine has another version.
# shellcheck shell=bash

PRNG_SOURCE=$REPO/tools/processprng/bcryptprimitives.c
PRNG_DLL=$CACHE/bcryptprimitives.dll

prefix_recipe() {
    { cat "$X/prefix.sh" "$X/prefix.reg" "$PRNG_SOURCE"; run_wine "$1" --version; } | sha256sum | cut -d' ' -f1
}

# The DLL behind the random numbers of Rust's standard library, which Wine 8 lacks.
build_prng() {
    x86_64-w64-mingw32-gcc -O2 -s -Wall -Werror -shared -nostdlib -Wl,--entry=DllMain -o "$PRNG_DLL.new" "$PRNG_SOURCE" -ladvapi32
    mv "$PRNG_DLL.new" "$PRNG_DLL"
}

# Wine links the folders of a user (Desktop, Documents, …) to those of HOME: in a prefix of ours they are its own.
own_user_folders() {
    local link
    find "$1/drive_c/users" -type l | while read -r link; do
        rm "$link"
        mkdir "$link"
    done
}

make_prefix() {
    local which=$1 recipe=$2 prefix system32
    prefix=$(wine_prefix "$which")
    if [ -e "$prefix/system.reg" ]; then wineserver_cmd "$which" -k || true; fi
    rm -rf "$prefix"
    mkdir -p "$prefix/home"
    "$X/wine-run" "$which" "$prefix" wineboot -i
    own_user_folders "$prefix"
    system32=$prefix/drive_c/windows/system32
    [ -e "$system32/bcryptprimitives.dll" ] || cp "$PRNG_DLL" "$system32/"
    "$X/wine-run" "$which" "$prefix" winecfg -v win10
    "$X/wine-run" "$which" "$prefix" regedit /S "Z:${X//\//\\}\\prefix.reg"
    "$X/wine-run" "$which" "$prefix" --wineserver -k
    "$X/wine-run" "$which" "$prefix" --wineserver -w
    printf '%s\n' "$recipe" >"$prefix/.pinion-prefix"
}

need_prefix() {
    local which=$1 prefix recipe
    prefix=$(wine_prefix "$which")
    recipe=$(prefix_recipe "$which")
    if [ "$(cat "$prefix/.pinion-prefix" 2>/dev/null)" = "$recipe" ]; then
        say "  Wine prefix ($which, $(run_wine "$which" --version)): there"
        return
    fi
    step "ProcessPrng DLL" build_prng
    step "Wine prefix ($which, $(run_wine "$which" --version))" make_prefix "$which" "$recipe"
}
