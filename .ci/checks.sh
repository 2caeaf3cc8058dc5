#!/bin/sh
# What `npm test` runs after the setup: each check in turn, also after one has failed, then the tests.
# Arguments go to vitest: `npm test -- test/net`. The last line counts checks and tests.
set -u
cd "$(dirname "$0")/.."
passed=0
failed=''

check() {
  name=$1
  shift
  started=$(date +%s)
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    printf 'ok      %s (%s s)\n' "$name" $(($(date +%s) - started))
  else
    failed="$failed,$name"
    printf 'FAILED  %s (%s s)\n%s\n' "$name" $(($(date +%s) - started)) "$output"
  fi
}

# With a TypeScript it cannot use, dependency-cruiser finds nothing wrong with no modules at all.
cruise() {
  report=$(depcruise --config .dependency-cruiser.cjs src test) || { printf '%s\n' "$report" && return 1; }
  printf '%s\n' "$report"
  printf '%s\n' "$report" | grep -Eq '\([1-9][0-9]* modules'
}

check format prettier --check --log-level warn .
check types tsc -p test/tsconfig.json
check lint eslint --config test/eslint.config.js --max-warnings 0 src test
check imports cruise
check unused knip --no-progress

NETPOL_LAB_CHECKS_PASSED=$passed NETPOL_LAB_CHECKS_FAILED=${failed#,} \
  sh test/docker/engine.sh vitest run --config test/vitest.config.ts "$@"
