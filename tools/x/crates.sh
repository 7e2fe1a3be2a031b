# Which packages run where, as cargo's options; the one place that knows. Sourced.
# All others are built and tested both natively and for Windows: what they have for Windows only is cfg(windows).
# shellcheck shell=bash disable=SC2034

NATIVE_ONLY=(-p pinion-harness -p pinion-e2e -p pinion-audit -p pinion-transparency -p pinion-demo -p pinion-mutate -p pinion-bench)
NOT_FOR_WINDOWS=("${NATIVE_ONLY[@]/#-p/--exclude}")
# The agent and the test programs have no unit tests: the end-to-end tests are theirs.
WITHOUT_UNIT_TESTS=(--exclude pinion-agent --exclude pinion-test-programs --exclude pinion-early-dll --exclude pinion-web-service --exclude pinion-http-stand-in)
# Floor 1: property tests say most of what they promise.
PURE=(-p pinion-trace -p pinion-map -p pinion-names -p pinion-layers -p pinion-policy -p pinion-policy-file -p pinion-processes -p pinion-profile -p pinion-scm -p pinion-wire -p pinion-group)
