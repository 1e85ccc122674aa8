import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import type { Cgroups } from './cgroups.ts';
import { checkExecutable } from './executable.ts';
import type { Layout } from './layout.ts';
import { createProcesses } from './processes.ts';
import type { Runtime } from './runtime.ts';
import { killStrays } from './strays.ts';

/**
 * Containers as ordinary processes in the host's network, for users without root. The Pod's address is a loopback
 * address that its programs have to bind (`POD_IP`); volumes, /etc/hosts and /etc/resolv.conf cannot be given.
 */
export function createPlainRuntime(layout: Layout, cgroups: Cgroups): Runtime {
  const processes = createProcesses(layout, cgroups);
  return {
    name: 'plain',
    hasMounts: false,
    createSandbox: ({ podUid }) => void mkdirSync(layout.pod(podUid), { recursive: true }),
    hasSandbox: (podUid) => existsSync(layout.pod(podUid)),
    async removeSandbox(podUid) {
      killStrays({ environment: podMark(podUid) });
      await cgroups.remove(podUid);
    },
    start(spec, _sandbox, onEnd) {
      checkExecutable(spec.argv[0], spec.workingDir, spec.env);
      const env = new Map([...spec.env, ['FAIRLEAD_POD', spec.podUid]]);
      processes.start({ ...spec, env, user: asSelf }, (work) => work(), onEnd);
    },
    adopt: processes.adopt,
    signal: processes.signal,
    async kill(ref) {
      await processes.kill(ref);
    },
    exec(ref, { argv, env, workingDir, stdio, hasTerminal }) {
      checkExecutable(argv[0], workingDir, env);
      const [program, ...args] = hasTerminal ? (['setsid', '-c', ...argv] as const) : argv;
      const options = { cwd: workingDir, env: { ...Object.fromEntries(env), FAIRLEAD_POD: ref.podUid } };
      return spawn(program, args, { ...options, stdio: [...stdio], detached: !hasTerminal });
    },
    pidOf: processes.pidOf,
    connect: async (_podUid, ip, port) => connected(ip, port),
    close: processes.close,
  };
}

const asSelf = { groups: [], noNewPrivileges: false };

/** The variable by which processes of a Pod are found without control groups. */
function podMark(podUid: string): string {
  return `FAIRLEAD_POD=${podUid}`;
}

/** Connects, or throws the socket's error. */
export function connected(host: string, port: number) {
  const socket = connect({ host, port });
  return new Promise<typeof socket>((resolve, reject) => {
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
