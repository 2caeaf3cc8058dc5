#!/bin/sh
# Fetches what an engine is made of into the folder `root` of the argument. Packages are unpacked, not installed: the engine
# of a newer Debian runs on an older one, but for runc, which wants the C library of its own release.
set -eu
folder=$1
apt=$folder/apt
rm -rf "$apt" "$folder/root"
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/debs" "$folder/root"
chmod 755 "$folder" "$apt" && chown _apt "$apt/debs"
mirror=$(sh "$(dirname "$0")/debian-mirror.sh")
printf '%s\n' 'Types: deb' "URIs: $mirror" 'Suites: trixie' 'Components: main' \
  'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' >"$apt/trixie.sources"
newer="-qq -o Dir::Etc::sourcelist=$apt/trixie.sources -o Dir::Etc::sourceparts=/dev/null
  -o Dir::State::lists=$apt/lists -o Dir::Cache=$apt"
# shellcheck disable=SC2086 # one word an option
(cd "$apt/debs" && apt-get $newer update && apt-get $newer download \
  docker.io docker-cli containerd docker-compose docker-buildx tini && apt-get -qq download runc)
for package in "$apt"/debs/*.deb; do dpkg -x "$package" "$folder/root"; done
rm -rf "$apt"
missing=''
for tool in slirp4netns mmdebstrap; do command -v $tool >/dev/null || missing="$missing $tool"; done
# shellcheck disable=SC2086 # one word a package
[ -z "$missing" ] || DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing
touch "$folder/root/complete"
