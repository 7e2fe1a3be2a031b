# Wine's own conformance tests, the judges of ./x transparency: built with mingw from the source and the headers that Debian ships of
# the same Wine. Sourced after lib.sh and parts.sh. Leaves CACHE/winetests-VERSION with MODULE_test.exe, units and version.
# shellcheck shell=bash

WINE_TEST_MODULES=(ntdll kernel32 kernelbase advapi32)

# wine_tests_version WINE: the version whose tests judge that Wine.
wine_tests_version() {
    local version
    version=$(run_wine "$1" --version)
    case $version in
        wine-8.*) echo 8.0 ;;
        wine-10.*) echo 10.0 ;;
        *) die "there are no tests for '$version' here: those of Wine 8 and 10 are known; use --wine 10" ;;
    esac
}

# The release of Debian that has that version, and the checksum of its source.
wine_tests_suite() { case $1 in 8.0) echo bookworm ;; 10.0) echo trixie ;; esac; }
wine_tests_checksum() {
    case $1 in
        8.0) echo 537c6889647a528ee9092b109e65b0fde288ba55d535044907cf168ca6f6e745 ;;
        10.0) echo e87ff2971c9b2e79fc63341f044d7513e66f3c3782b49609746428caa87c6ee6 ;;
    esac
}

# The headers and import libraries are generated at Wine's build: libwine-dev has them, so that nothing of Wine itself need be built.
fetch_wine_tests() {
    local version=$1 suite folder=$CACHE/downloads/wine-$1 sum
    suite=$(wine_tests_suite "$version")
    sum=$(wine_tests_checksum "$version")
    mkdir -p "$folder"
    cd "$folder" || return
    private_apt "$suite" "deb-src deb" update
    echo "$sum  wine_$version~repack.orig.tar.xz" | sha256sum -c --status 2>/dev/null || private_apt "$suite" "deb-src deb" source --download-only --tar-only --only-source wine
    echo "$sum  wine_$version~repack.orig.tar.xz" | sha256sum -c
    rm -f libwine-dev_*.deb
    private_apt "$suite" "deb-src deb" download libwine-dev
    compgen -G "libwine-dev_$version~*.deb"
}

# wine_test_cc OBJECT SOURCE OPTION…: as Wine's own makefiles compile a test of the C library msvcrt.
wine_test_cc() {
    local object=$1 source=$2 compiler=x86_64-w64-mingw32-gcc
    shift 2
    "$compiler" -c -nostdinc -isystem "$("$compiler" -print-file-name=include)" -Isrc/include -Isrc/include/msvcrt -Idev/windows -Idev/msvcrt "$@" \
        -D_MSVCR_VER=0 -D__WINESRC__ -D__WINE_PE_BUILD -O1 -g0 -w -fno-strict-aliasing -mcx16 -mms-bitfields "$source" -o "$object"
}

wine_test_link() {
    local output=$1 entry=$2
    shift 2
    x86_64-w64-mingw32-gcc -s -nostartfiles -nodefaultlibs -mconsole -Wl,--entry,"$entry" -Wl,-u,"$entry" -o "$output" "$@" -lwinecrt0 -lmsvcrt -lkernel32 -lntdll -lgcc
}

# The list that include/wine/test.h walks through.
wine_test_list() {
    printf '#include <windows.h>\n#define STANDALONE\n#include "wine/test.h"\n'
    printf 'extern void func_%s(void);\n' "$@"
    echo 'const struct test winetest_testlist[] = {'
    local unit
    for unit in "$@"; do printf '{ "%s", func_%s },\n' "$unit" "$unit"; done
    echo '{ 0, 0 } };'
}

# The DLL that kernel32's tests carry in their resources.
build_dummy_dll() {
    wine_test_cc obj/dummy.o "$1/dummy.c"
    printf 'LIBRARY dummy.dll\nEXPORTS\nget_path\n' >obj/dummy.def
    wine_test_link obj/dummy.dll DllMainCRTStartup -shared obj/dummy.o obj/dummy.def -Ldev/lib
    echo 'dummy.dll TESTDLL "obj/dummy.dll"' >obj/dummy.rc
    x86_64-w64-mingw32-windres obj/dummy.rc -O coff -o obj/kernel32-dummy-rc.o
}

build_wine_test() {
    local module=$1 tests=src/dlls/$1/tests source unit units=() library libraries=()
    for source in "$tests"/*.c; do
        unit=$(basename "$source" .c)
        [ "$unit" != dummy ] || continue
        wine_test_cc "obj/$module-$unit.o" "$source" "-I$tests"
        units+=("$unit")
        echo "$module $unit" >>out/units
    done
    wine_test_list "${units[@]}" >obj/testlist.c
    wine_test_cc "obj/$module-testlist.o" obj/testlist.c
    for source in "$tests"/*.rc; do
        [ ! -e "$source" ] || x86_64-w64-mingw32-windres -Isrc/include -Idev/windows -I"$tests" "$source" -O coff -o "obj/$module-rc.o"
    done
    [ ! -e "$tests/dummy.c" ] || build_dummy_dll "$tests"
    for library in "$module" $(sed -n 's/^IMPORTS *= *//p' "$tests/Makefile.in"); do libraries+=("-l$library"); done
    wine_test_link "out/${module}_test.exe" mainCRTStartup "obj/$module"-*.o -Ldev/lib "${libraries[@]}"
}

build_wine_tests() {
    local version=$1 work=$CACHE/winetests-build from=$CACHE/downloads/wine-$1 module folder
    rm -rf "$work"
    mkdir -p "$work/src" "$work/obj" "$work/out" "$work/deb" "$work/dev"
    cd "$work" || return
    tar -xJf "$from/wine_$version~repack.orig.tar.xz" -C src --strip-components=1 --wildcards '*/dlls/*/tests/*' '*/include/*'
    dpkg -x "$from"/libwine-dev_*.deb deb
    for folder in windows msvcrt; do ln -s "../deb/usr/include/wine/wine/$folder" "dev/$folder"; done
    ln -s ../deb/usr/lib/x86_64-linux-gnu/wine/x86_64-windows dev/lib
    for module in "${WINE_TEST_MODULES[@]}"; do build_wine_test "$module"; done
    echo "$version" >out/version
    rm -rf "$CACHE/winetests-$version"
    mv out "$CACHE/winetests-$version"
    cd / && rm -rf "$work"
}

# need_wine_tests WINE: sets PINION_WINE_TESTS to the folder of that Wine's tests.
need_wine_tests() {
    local version
    version=$(wine_tests_version "$1")
    export PINION_WINE_TESTS=$CACHE/winetests-$version
    if [ -e "$PINION_WINE_TESTS/version" ]; then
        say "  Tests of Wine $version: there"
        return
    fi
    need_packages xz-utils
    need_debian_archive
    step "Tests of Wine $version (source from Debian)" fetch_wine_tests "$version"
    step "Tests of Wine $version (build)" build_wine_tests "$version"
}
