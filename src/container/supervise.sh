#!/bin/sh
# Runs a pod's proxy, and runs it again whenever it dies: `supervise COMMAND…`. As the first process of a container it
# keeps the container's network, and with it the rules that close the pod, alive. It is small: every pod has one.
child=
stop() {
  trap - TERM INT
  [ -n "$child" ] && kill "$child" && wait "$child"
  exit 0
}
trap stop TERM INT
while :; do
  "$@" &
  child=$!
  wait "$child"
  code=$?
  # After bad usage, and in an environment that cannot do it, another try would end the same way.
  case $code in 0 | 2 | 3) exit "$code" ;; esac
  echo "netpol-lab: the proxy ended with exit code $code; until its next start nothing new passes" >&2
  sleep 0.1
done
