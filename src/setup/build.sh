#!/bin/sh
# Compiles src to dist if a source, a setting or a package is newer than the last build.
set -eu
cd "$(dirname "$0")/../.."
caches=node_modules/.cache
stamp=$caches/netpol-lab/built
entry=dist/cli/netpol-lab.js

if [ -f $entry ] && [ -f $stamp ]; then
  # Folders count too: theirs is the time of the last file that came or went.
  changed=$(find src tsconfig.json package.json node_modules/.package-lock.json -newer $stamp | head -n 1)
  [ -n "$changed" ] || exit 0
fi

if ! [ -f node_modules/typescript/bin/tsc ]; then
  echo 'setup: TypeScript is not installed, so nothing is built' >&2 # npm ci --omit=dev
  exit 0
fi

echo 'setup: building'
mkdir -p $caches/netpol-lab
# From before the build: what is written while it runs is newer, and built the next time.
touch $stamp.new
# The incremental state would keep tsc from writing again what somebody removed.
[ -f $entry ] || rm -f $caches/tsc/build.tsbuildinfo
node node_modules/typescript/bin/tsc -p tsconfig.json

find dist -type f -name '*.js' | while read -r compiled; do
  module=${compiled%.js}
  [ -f "src/${module#dist/}.ts" ] || rm -f "$compiled" "$module.d.ts"
done
chmod +x $entry
mv $stamp.new $stamp
