#!/bin/sh
# Makes sure that the engine has node:24-bookworm-slim: pulls it, or where no registry answers, builds its like from
# Debian's packages and this folder's own Node, under the same name. Argument: a folder for the log.
set -eu
cd "$(dirname "$0")/../.."
image=node:24-bookworm-slim
log=$1/base-image.log

docker image inspect $image >/dev/null 2>&1 && exit 0
echo "engine: pulling $image" >&2
timeout 120 docker pull --quiet $image >"$log" 2>&1 && exit 0

echo "engine: no registry has it; building $image from Debian's packages" >&2
tree=$1/base-image
trap 'rm -rf "$tree"' EXIT
rm -rf "$tree" && mkdir -p "$tree/usr/local/bin" "$tree/usr/local/lib/node_modules" "$tree/etc"
cp -L node_modules/node/bin/node "$tree/usr/local/bin/node"
npm=$(readlink -f "$(command -v npm)")
cp -r "${npm%/bin/npm-cli.js}" "$tree/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"
# A machine that reaches its registry through a gateway trusts the gateway's certificate; builds in this image must too.
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then cp -L "$NODE_EXTRA_CA_CERTS" "$tree/etc/extra-ca.pem"; else : >"$tree/etc/extra-ca.pem"; fi
mkdir -p "$tree/usr/local/etc"
printf 'registry=%s\n' "$(npm config get registry)" >"$tree/usr/local/etc/npmrc"

mmdebstrap --quiet --variant=minbase --include=ca-certificates --aptopt='APT::Sandbox::User "root"' \
  --customize-hook="cp -r '$tree/.' \"\$1\"" --customize-hook='useradd --root "$1" --uid 1000 --create-home node' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  bookworm - "$(sh test/docker/debian-mirror.sh)" 2>"$log" |
  docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/extra-ca.pem' --change 'CMD ["node"]' - $image >>"$log" || {
  cat "$log" >&2
  exit 1
}
