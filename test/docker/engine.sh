#!/bin/sh
# Runs a command with a Docker engine: `sh test/docker/engine.sh COMMAND…`.
# Where an engine answers, with Compose 2.23 or newer, it is that one. Else, as root on Debian, one is started for the
# command and ended after it: unpacked into a folder of its own, in a network and mount namespace of its own, so that
# neither packages nor firewall, routes and links of this machine change. The folder keeps packages and images: a second
# start takes about a second. Where there can be none, the command runs without, and is told so.
# NETPOL_LAB_ENGINE_FOLDER puts the folder elsewhere. The command's environment says what it has, see test/docker/engine.ts:
#   NETPOL_LAB_ENGINE          own, machine or none
#   NETPOL_LAB_ENGINE_NETWORK  the network namespace of an engine of its own, which has what containers publish
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${NETPOL_LAB_ENGINE_FOLDER:-/var/cache/netpol-lab/engine}
run=$folder/run

fits() {
  version=$(docker compose version --short 2>/dev/null) || return 1
  case ${version#v} in 2.[0-9].* | 2.1[0-9].* | 2.2[0-2].*) return 1 ;; esac
  docker info >/dev/null 2>&1
}

without() {
  echo "engine: no Docker engine: $1" >&2
  shift
  NETPOL_LAB_ENGINE=none exec "$@"
}

if fits; then
  export NETPOL_LAB_ENGINE=machine
  sh "$here/base-image.sh" "$folder"
  exec "$@"
fi
[ "$(uname -s)" = Linux ] || without 'install Docker Desktop, or Docker with Compose 2.23 or newer' "$@"
[ "$(id -u)" = 0 ] || without 'install Docker with Compose 2.23 or newer, or run as root on Debian' "$@"
command -v apt-get >/dev/null || without 'install Docker with Compose 2.23 or newer' "$@"

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # one engine, one command: another one waits
if ! [ -f "$folder/root/complete" ]; then
  echo 'engine: fetching docker, containerd, runc, Compose and buildx' >&2
  sh "$here/engine-packages.sh" "$folder" >"$folder/packages.log" 2>&1 </dev/null || without "see $folder/packages.log" "$@"
fi

export NETPOL_LAB_ENGINE=own DOCKER_HOST="unix://$run/docker.sock" DOCKER_CONFIG="$folder/config"
export PATH="$folder/root/usr/bin:$folder/root/usr/sbin:$PATH"

# An engine whose script was killed has outlived it.
if left=$(cat "$run/dockerd.pid" 2>/dev/null) && tr '\0' ' ' 2>/dev/null <"/proc/$left/cmdline" | grep -qF "$folder/data"; then
  kill "$left"
  while kill -0 "$left" 2>/dev/null; do sleep 0.1; done
fi
rm -rf "$run" && mkdir -p "$run" "$DOCKER_CONFIG"
ln -sfn "$folder/root/usr/libexec/docker/cli-plugins" "$DOCKER_CONFIG/cli-plugins"

# Ends with the daemon, and everything in its namespaces with it.
stop() {
  trap - EXIT INT TERM HUP
  kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null || true
  [ -z "${slirp:-}" ] || kill "$slirp" 2>/dev/null || true
}

# The tap device of slirp4netns gives the namespace a way out, for the builds of images, without a rule on this machine.
# 9>&-: nothing that is started here may hold the lock.
unshare --net --mount sh -c 'ip link set lo up && exec dockerd --host "$1" --data-root "$2/data" --exec-root "$2/run/exec" \
  --pidfile "$2/run/dockerd.pid"' dockerd "$DOCKER_HOST" "$folder" 9>&- </dev/null >"$folder/dockerd.log" 2>&1 &
daemon=$!
trap stop EXIT
trap 'exit 130' INT TERM HUP
export NETPOL_LAB_ENGINE_NETWORK="/proc/$daemon/ns/net"
until [ "$(readlink "$NETPOL_LAB_ENGINE_NETWORK")" != "$(readlink /proc/self/ns/net)" ]; do
  kill -0 "$daemon" 2>/dev/null || break
done
slirp4netns --configure --mtu=1500 --disable-host-loopback "$daemon" tap0 9>&- </dev/null >"$folder/slirp.log" 2>&1 &
slirp=$!
until docker info >/dev/null 2>&1; do
  if ! kill -0 "$daemon" 2>/dev/null; then
    trap - EXIT
    without "dockerd ended, see $folder/dockerd.log" "$@"
  fi
  sleep 0.1
done
# A command that was killed, with the engine or the machine, has left containers, and those of labs start again.
docker ps --all --quiet | xargs -r docker rm --force --volumes >/dev/null
docker network prune --force >/dev/null
docker volume prune --all --force >/dev/null
sh "$here/base-image.sh" "$folder"
status=0
"$@" 9>&- || status=$?
exit $status
