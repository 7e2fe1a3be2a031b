# Wine's own conformance tests, the judges of ./x transparency: built with mingw from the source and the headers that Debian ships of
# the same Wine. Sourced after lib.sh and parts.sh. Leaves CACHE/winetests-VERSION with MODULE_test.exe, units and version.
# shellcheck shell=bash

# Libraries, and the programs services and sc. Neither Wine has tests of sechost: advapi32's and these call it.
WINE_TEST_MODULES=(ntdll kernel32 kernelbase advapi32 services sc rpcrt4 ole32 oleaut32 httpapi)

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
    fetch_widl
}

# The compiler of interfaces, which some tests need: bookworm's, as it runs on every distribution that is known here and compiles the
# interfaces of both versions.
fetch_widl() {
    mkdir -p "$CACHE/downloads/widl"
    cd "$CACHE/downloads/widl" || return
    compgen -G 'wine64-tools_*.deb' && return
    private_apt bookworm "deb-src deb" update
    private_apt bookworm "deb-src deb" download wine64-tools
    compgen -G 'wine64-tools_*.deb'
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

# build_resource_dll MODULE FOLDER NAME: a DLL that the tests carry in their resources.
build_resource_dll() {
    local module=$1 tests=$2 name=$3
    wine_test_cc "obj/$name.o" "$tests/$name.c"
    printf 'LIBRARY %s.dll\nEXPORTS\n' "$name" >"obj/$name.def"
    sed -n 's/^[@0-9]\+ *stdcall *\(-[a-z]* *\)*\([A-Za-z0-9_]*\).*/\2/p' "$tests/$name.spec" >>"obj/$name.def"
    wine_test_link "obj/$name.dll" DllMainCRTStartup -shared "obj/$name.o" "obj/$name.def" -Ldev/lib
    echo "$name.dll TESTDLL \"obj/$name.dll\"" >"obj/$name.rc"
    x86_64-w64-mingw32-windres "obj/$name.rc" -O coff -o "obj/$module-$name-rc.o"
}

# A value of the tests' makefile.
wine_test_make() { sed -n "s/^$2 *= *//p" "$1/Makefile.in"; }

# What of an interface is wanted is said in the file itself. The compiler's own version of Wine has other names for three numbers of
# winnt.h than Wine 10.
build_interface() {
    local module=$1 tests=$2 name=$3 want flags made
    read -ra flags <<<"$(wine_test_make "$tests" EXTRAIDLFLAGS) $(wine_test_make "$tests" "${name}_EXTRAIDLFLAGS")"
    local widl=(tools/usr/lib/wine/widl -m64 --nostdinc -Isrc/include "-I$tests" -Iidl -Lidl "${flags[@]}")
    "${widl[@]}" -h -o "idl/$name.h" "$tests/$name.idl"
    while read -r want; do
        case $want in
            client) made=${name}_c.c && "${widl[@]}" -c -o "idl/$made" "$tests/$name.idl" ;;
            server) made=${name}_s.c && "${widl[@]}" -s -o "idl/$made" "$tests/$name.idl" ;;
            ident) made=${name}_i.c && "${widl[@]}" -u -o "idl/$made" "$tests/$name.idl" ;;
            proxy)
                made=${name}_p.c
                "${widl[@]}" -p -o "idl/$made" "$tests/$name.idl"
                "${widl[@]}" --dlldata-only -o idl/dlldata.c "$name"
                wine_test_cc "obj/$module-dlldata.o" idl/dlldata.c -Iidl -DPROXY_DELEGATION
                ;;
            typelib)
                "${widl[@]}" -t -o "idl/${name}_l.res" "$tests/$name.idl"
                x86_64-w64-mingw32-windres -J res -O coff "idl/${name}_l.res" "obj/$module-$name-l.o"
                continue
                ;;
            *) continue ;;
        esac
        wine_test_cc "obj/$module-${made%.c}.o" "idl/$made" -Iidl "-I$tests" -DPROXY_DELEGATION \
            -DEH_UNWINDING=0x02 -DEH_EXIT_UNWIND=0x04 -DEH_NESTED_CALL=0x10
    done < <(sed -n 's/^#pragma makedep //p' "$tests/$name.idl")
}

build_wine_test() {
    local module=$1 tests=src/dlls/$1/tests source unit units=() library libraries=() rc
    [ -d "$tests" ] || tests=src/programs/$module/tests
    rm -rf idl && mkdir idl
    # The library that every other one imports.
    tools/usr/lib/wine/widl -m64 --nostdinc -Isrc/include -t -o idl/stdole2.tlb src/dlls/stdole2.tlb/stdole2.idl
    for source in "$tests"/*.idl; do
        [ ! -e "$source" ] || build_interface "$module" "$tests" "$(basename "$source" .idl)"
    done
    for source in "$tests"/*.c; do
        unit=$(basename "$source" .c)
        if [ -e "$tests/$unit.spec" ]; then
            build_resource_dll "$module" "$tests" "$unit"
            continue
        fi
        wine_test_cc "obj/$module-$unit.o" "$source" "-I$tests" -Iidl
        units+=("$unit")
        echo "$module $unit" >>out/units
    done
    wine_test_list "${units[@]}" >obj/testlist.c
    wine_test_cc "obj/$module-testlist.o" obj/testlist.c
    for source in "$tests"/*.rc; do
        rc=obj/$module-$(basename "$source" .rc)-rc.o
        [ ! -e "$source" ] || x86_64-w64-mingw32-windres -Isrc/include -Idev/windows -I"$tests" "$source" -O coff -o "$rc"
    done
    for library in "$module" $(wine_test_make "$tests" IMPORTS); do
        [ ! -e "dev/lib/lib$library.a" ] || libraries+=("-l$library")
    done
    wine_test_link "out/${module}_test.exe" mainCRTStartup "obj/$module"-*.o -Ldev/lib "${libraries[@]}"
}

build_wine_tests() {
    local version=$1 work=$CACHE/winetests-build from=$CACHE/downloads/wine-$1 module folder
    rm -rf "$work"
    mkdir -p "$work/src" "$work/obj" "$work/out" "$work/deb" "$work/dev" "$work/tools"
    cd "$work" || return
    tar -xJf "$from/wine_$version~repack.orig.tar.xz" -C src --strip-components=1 --wildcards '*/dlls/*/tests/*' '*/programs/*/tests/*' '*/include/*' '*/dlls/stdole2.tlb/*'
    dpkg -x "$from"/libwine-dev_*.deb deb
    dpkg -x "$CACHE"/downloads/widl/wine64-tools_*.deb tools
    for folder in windows msvcrt; do ln -s "../deb/usr/include/wine/wine/$folder" "dev/$folder"; done
    ln -s ../deb/usr/lib/x86_64-linux-gnu/wine/x86_64-windows dev/lib
    for module in "${WINE_TEST_MODULES[@]}"; do build_wine_test "$module"; done
    echo "$version" >out/version
    rm -rf "$CACHE/winetests-$version"
    mv out "$CACHE/winetests-$version"
    cd / && rm -rf "$work"
}

# Whether there is a program of each module.
wine_tests_are_whole() {
    local module
    [ -e "$PINION_WINE_TESTS/version" ] || return
    for module in "${WINE_TEST_MODULES[@]}"; do [ -e "$PINION_WINE_TESTS/${module}_test.exe" ] || return; done
}

# need_wine_tests WINE: sets PINION_WINE_TESTS to the folder of that Wine's tests.
need_wine_tests() {
    local version
    version=$(wine_tests_version "$1")
    export PINION_WINE_TESTS=$CACHE/winetests-$version
    if wine_tests_are_whole; then
        say "  Tests of Wine $version: there"
        return
    fi
    need_packages xz-utils
    need_debian_archive
    step "Tests of Wine $version (source from Debian)" fetch_wine_tests "$version"
    step "Tests of Wine $version (build)" build_wine_tests "$version"
}
