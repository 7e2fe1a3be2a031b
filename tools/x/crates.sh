# Which crates run where; the one place that knows. Sourced.
# shellcheck shell=bash disable=SC2034

# Only for Windows: their unit tests run on Wine.
WINDOWS_TESTED=(-p pinion-nt -p pinion-intercept -p pinion-launch -p pinion-store -p pinion-supervisor -p pinion)
# Only for Windows, and without unit tests: the end-to-end tests are theirs.
WINDOWS_ONLY=(-p pinion-agent -p pinion-test-programs)
# Pure, and the tools that run on the build machine; pinion-e2e is one too, but runs by itself, once for each Wine.
NATIVE=(-p pinion-names -p pinion-layers -p pinion-policy -p pinion-scm -p pinion-wire -p pinion-audit -p pinion-demo -p pinion-bench)
