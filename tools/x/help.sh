#!/usr/bin/env bash
# Prints how to use ./x.
set -euo pipefail
cat <<'TEXT'
./x VERB [options]      the one door to the workshop; every verb does all of its own set-up and is safe to repeat

  setup    bring what is missing: Wine, mingw-w64, Rust for Windows, a Wine prefix of the project's own, nginx for Windows, Chromium (for the page of pinion map)
  build    build pinion.exe, pinion_agent.dll and the test programs into target/pinion/bin
  demo     the main job: three copies of one unmodified web server on one Windows, side by side   (--keep leaves them up)
           groups   replicas behind one address under load, while they are defaced, killed and hung   (--minutes N, --only NAME)
  test     every test: the pure crates natively, the Windows crates and the end-to-end tests on both Wines
           --node   also Node's cluster, its children's channels and its pipe servers (fetches Node)
  fuzz     the property tests with new random cases for --minutes N (5), until one fails; with
           --wine also random operations by new seeds, inside and outside
  bench    the figures for speed and memory, as ratios inside one run; ./x bench NAME… runs only those named
           (calls files keys depth clone build size memory first-byte requests services com http controller crowd group
           replicas trace trace-build)
  audit    the kernel's-eye audit: what confined processes really opened, told by wineserver's own log
           --record   also: has each line of that log its event in the record of the VM, and the other way round?
  probe    the probes: programs in two VMs and on the host try to get at one another, for each channel in every way that is
           known; a row that fails is open, or does not work inside   (what follows is for 'pinion verify': --channel C, --quick)
           --mutate [CALL…]   leave out one hook of the agent after another: is there a probe that misses it?
  transparency
           can a program tell a VM from the host? Wine's own conformance tests (of the modules ntdll, kernel32, kernelbase and
           advapi32, built from Debian's source), outside and inside, then random operations on files and keys
           MODULE:UNIT…   only tests whose name contains one of these        --seeds N   only random operations, of N seeds
  lint     formatting, clippy, the type check for MSVC, licences
  help     this text

Options
  --wine system|10|all    the Wine to run on: the distribution's, Wine 10 in a root made with debootstrap, or both.
                          system is the default; test runs on all
  --json FILE             (demo, bench, audit, probe, transparency) write the figures to FILE as JSON; with --wine all, one list for both
  --                      what follows is handed on: ./x test -- some_test_name

Environment
  PINION_CACHE            where downloads, prefixes and built servers are kept (default: ~/.cache/pinion)

Examples
  ./x demo
  ./x demo --wine 10 --keep
  ./x test --wine system
  ./x test -- several_copies
  ./x transparency --wine all ntdll:file ntdll:reg
  ./x transparency --copies 2 ntdll:pipe kernel32:mailslot
  ./x probe --wine all --channel pipes
  ./x bench --json figures.json

Root or sudo is used for packages only, and each installed package is named. The user's own ~/.wine is never touched.
Exit codes: 0 done; 1 something failed, and the last line says what; 2 wrong usage.
TEXT
