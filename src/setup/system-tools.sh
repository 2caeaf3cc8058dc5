#!/bin/sh
# Looks for the system tools that labs run, and those given as arguments, and installs the missing ones where it may:
# Debian's packages, as root.
# Exit code 3: something is missing and cannot be installed from here; the message says what to do.
set -eu
PATH=$PATH:/usr/sbin:/sbin # an ordinary user's PATH on Debian lacks them

tools="ip nft iptables ip6tables conntrack curl nslookup nc unshare nsenter setpriv mount $*"

package_of() {
  case $1 in
    ip) echo iproute2 ;;
    nft) echo nftables ;;
    iptables | ip6tables) echo iptables ;;
    nslookup) echo bind9-dnsutils ;;
    nc) echo netcat-openbsd ;;
    unshare | nsenter | setpriv) echo util-linux ;;
    *) echo "$1" ;;
  esac
}

find_missing() {
  missing=''
  packages=''
  for tool in $tools; do
    command -v "$tool" >/dev/null && continue
    missing="$missing $tool"
    package=$(package_of "$tool")
    case "$packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
  done
}

find_missing
[ -n "$missing" ] || exit 0

if [ "$(uname -s)" != Linux ]; then
  echo 'setup: netpol-lab needs Linux: pods are network namespaces' >&2
  exit 3
fi
if ! command -v apt-get >/dev/null; then
  echo "setup: missing:$missing. Install them with this system's package manager (Debian's packages:$packages)" >&2
  exit 3
fi
if [ "$(id -u)" != 0 ]; then
  echo "setup: missing:$missing. Run: sudo apt-get update && sudo apt-get install -y$packages" >&2
  exit 3
fi

echo "setup: installing Debian packages:$packages"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # one word a package
if ! log=$({ apt-get update && apt-get install -y --no-install-recommends $packages; } 2>&1 </dev/null); then
  printf '%s\n' "$log" >&2
  echo "setup: apt-get could not install:$packages" >&2
  exit 3
fi
find_missing
if [ -n "$missing" ]; then
  echo "setup: still missing after the install:$missing" >&2
  exit 3
fi
