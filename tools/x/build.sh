#!/usr/bin/env bash
# Builds the Windows programs and gathers them in target/pinion/bin.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"
. "$X/programs.sh"

parse_options system "$@"
no_more build
lock_cache
set_up_to_build
unlock_cache
build_programs
