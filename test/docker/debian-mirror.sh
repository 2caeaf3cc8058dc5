#!/bin/sh
# Prints where this machine has Debian's packages from.
set -eu
apt-get update -qq >&2
apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
  awk '$2 == "Debian" && $3 == "Debian" { print $1; found = 1; exit } END { exit !found }'
