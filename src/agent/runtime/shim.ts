import type { ProcessUser } from './runtime.ts';

/**
 * The guard of a container's process: a shell that starts it in a session of its own, waits and writes down how it ended.
 * It survives the agent, needs no memory to speak of, and its own death is noticed because it holds a pipe open.
 *
 * ```
 * fd 0-2  stdin, stdout and stderr of the container
 * fd 3    named pipe, held open while the guard lives
 * fd 4    file for the exit code          fd 5  file for the process id
 * fd 6    cgroup.procs of the container   fd 9  write side of stdin, held open by a helper (only with stdin)
 * ```
 */
export const shimScript = `exec 7>&1 8>&2 >/dev/null 2>&1
if [ -n "$FAIRLEAD_KEEP_STDIN" ]; then
  unset FAIRLEAD_KEEP_STDIN
  sleep 2147483647 <&9 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
  echo "$! " >&5
fi
exec 9>&-
setsid /bin/sh -c 'echo $$ >&5; echo 0 >&6; exec "$@" >&7 2>&8 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-' sh "$@"
code=$?
echo $code >&4
exit $code`;

/** Puts what changes the user and odd variable names in front of a command: a shell would drop the latter. */
export function wrapCommand(
  argv: readonly string[],
  user: ProcessUser,
  env: ReadonlyMap<string, string>,
): readonly string[] {
  const odd = [...env].filter(([name]) => !isShellName(name));
  const withEnv =
    odd.length === 0 ? argv : ['/usr/bin/env', ...odd.map(([name, value]) => `${name}=${value}`), ...argv];
  const options = userOptions(user);
  return options.length === 0 ? withEnv : ['/usr/bin/setpriv', ...options, '--', ...withEnv];
}

function userOptions({ uid, gid, groups, noNewPrivileges }: ProcessUser): readonly string[] {
  const needsGroups = uid !== undefined || gid !== undefined || groups.length > 0;
  return [
    ...(uid === undefined ? [] : ['--reuid', String(uid)]),
    ...(gid === undefined ? [] : ['--regid', String(gid)]),
    ...(needsGroups ? (groups.length > 0 ? ['--groups', groups.join(',')] : ['--clear-groups']) : []),
    ...(noNewPrivileges ? ['--no-new-privs'] : []),
  ];
}

/** The variables that a shell passes on. */
export function shellEnv(env: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...env].filter(([name]) => isShellName(name)));
}

function isShellName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}

/** One word of a shell command line. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
