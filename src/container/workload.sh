#!/bin/sh
# Runs the command of a pod's container, as the pod's restart policy says, and stays when that has ended for good:
# `workload CONTAINER always|on-failure|no COMMAND…`. The pod's proxy shares nothing with it but the network: how the
# command goes is the name of a socket there, @netpol-lab/CONTAINER/RESTARTS/running, /restarting/CODE or /done/CODE.
container=$1 restart=$2
shift 2
restarts=0
pause=1
shown=
show() {
  [ -z "$shown" ] || kill "$shown"
  (sleep "${2:-0}" && exec nc -lkU "@netpol-lab/$container/$restarts/$1") </dev/null >/dev/null 2>&1 &
  shown=$!
}
trap 'kill "$child" 2>/dev/null && wait "$child"; exit 0' TERM
while :; do
  # In a session of its own; a shell would have it ignore SIGINT.
  setsid env --default-signal=INT,QUIT "$@" &
  child=$!
  show running 0.15 # one that only crashes is never seen running
  wait "$child"
  code=$?
  kill -s KILL -- "-$child" 2>/dev/null # what it has left goes with it
  case $restart/$code in no/* | on-failure/0) break ;; esac
  restarts=$((restarts + 1))
  show "restarting/$code"
  sleep "$pause" &
  wait "$!"
  pause=$((pause < 8 ? pause * 2 : pause))
done
show "done/$code"
wait
