#!/bin/sh
# Makes a clone ready to run: system tools, npm packages, dist. `npm start` and `npm test` begin with it.
# Arguments are further tools that are needed.
# Prints only what it does, and does only what is missing: a second run takes milliseconds.
set -eu
cd "$(dirname "$0")/../.."

sh src/setup/system-tools.sh "$@"

# npm writes this file last, so an interrupted install is taken up again.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo 'setup: installing npm packages'
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
fi

# The npm package `node` fetches the Node of this project in an install script. Of all packages only it needs one,
# and npm 12 runs none by itself: so it is called here, whatever npm's settings are.
if ! [ -x node_modules/.bin/node ]; then
  echo "setup: installing this folder's own Node"
  (cd node_modules/node && npm_config_loglevel=error node installArchSpecificPackage.js >/dev/null)
  ln -sf ../node/bin/node node_modules/.bin/node
fi

sh src/setup/build.sh
