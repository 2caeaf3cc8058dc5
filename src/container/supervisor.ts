import { LabError } from '../model/lab-error.ts';

// Exit codes after which another try would end the same way: bad usage, and an environment that cannot do it.
const SCRIPT = `
child=
stop() { trap - TERM INT; [ -n "$child" ] && kill "$child" && wait "$child"; exit 0; }
trap stop TERM INT
while :; do
  "$@" & child=$!
  wait "$child"
  code=$?
  case $code in 0|2|3) exit "$code" ;; esac
  echo "netpol-lab: the proxy ended with exit code $code; until its next start nothing new passes" >&2
  sleep 0.1
done`;

/**
 * Turns this process into a small shell that runs the command, and runs it again whenever it dies: as the first process
 * of a container it keeps the container's network, and with it the rules, alive. Does not return.
 * @throws LabError where a process cannot be replaced.
 */
export function superviseInstead(command: readonly string[]): never {
  if (!process.execve) throw new LabError('environment', 'a container needs Linux');
  return process.execve('/bin/sh', ['sh', '-c', SCRIPT, 'netpol-lab', ...command]);
}
