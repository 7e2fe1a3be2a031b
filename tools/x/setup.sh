#!/usr/bin/env bash
# Brings all that the other verbs need and nothing else.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
. "$X/parts.sh"

parse_options system "$@"
no_more setup
set_up "${WINES[@]}"
if ! add_target "$MSVC"; then
    say "  Rust target $MSVC: not to be had here, so ./x lint will leave out the type check for it"
fi
say "Set up in $SECONDS s. Next: ./x demo"
