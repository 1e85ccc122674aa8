import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connectFromNamespace } from '../../linux/connect.ts';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  isNetworkNamespace,
  removeNetworkNamespace,
} from '../../linux/namespaces.ts';
import { changeRoot, inNamespacesOfProcess, inNewPodNamespaces } from '../../linux/pod-namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { writeSysctl } from '../../linux/sysctl.ts';
import type { Cgroups } from './cgroups.ts';
import { checkExecutable } from './executable.ts';
import type { Layout } from './layout.ts';
import { shortHash } from './layout.ts';
import { connected } from './plain.ts';
import { createProcesses } from './processes.ts';
import { buildRoot } from './root.ts';
import type { ExecSpec, Runtime, SandboxSpec } from './runtime.ts';
import { wrapCommand } from './shim.ts';
import { killStrays } from './strays.ts';

/** Where Pods are attached. */
export interface PodNetwork {
  readonly bridge: string;
  /** The node's address on the bridge: the Pods' gateway. */
  readonly gateway: string;
}

/**
 * Containers as processes in a network namespace per Pod, with mounts and a host name of their own. Needs root.
 *
 * The namespace is held by a bind mount in the data folder, so it outlives agent and processes. The Pod's address is a
 * /32: traffic between Pods of one node passes the host's rules too, and answers of Services find their way back.
 */
export function createNetnsRuntime(layout: Layout, cgroups: Cgroups, network: PodNetwork): Runtime {
  const processes = createProcesses(layout, cgroups);
  return {
    name: 'netns',
    hasMounts: true,
    createSandbox(spec) {
      if (spec.isHostNetwork || isNetworkNamespace(layout.network(spec.podUid))) return;
      createNetworkNamespace(layout.network(spec.podUid));
      attach(spec, layout.network(spec.podUid), network);
    },
    hasSandbox: (podUid) => isNetworkNamespace(layout.network(podUid)),
    async removeSandbox(podUid) {
      endNamespace(layout.network(podUid));
      await cgroups.remove(podUid);
      using route = openRoute();
      route.deleteLink(hostLink(podUid));
      removeNetworkNamespace(layout.network(podUid));
    },
    start(spec, sandbox, onEnd) {
      const root = join(layout.pod(spec.podUid), 'roots', spec.container);
      const namespaces = {
        network: sandbox.isHostNetwork ? undefined : layout.network(spec.podUid),
        hostname: sandbox.isHostNetwork ? undefined : sandbox.hostname,
      };
      const enter = <T>(work: () => T): T =>
        inNewPodNamespaces(namespaces, () => {
          buildRoot(root, spec.mounts, spec.isReadOnlyRoot);
          changeRoot(root);
          checkExecutable(spec.argv[0], spec.workingDir, spec.env);
          return work();
        });
      processes.start(spec, enter, onEnd);
    },
    adopt: processes.adopt,
    signal: processes.signal,
    kill: processes.kill,
    exec(ref, spec) {
      const pid = processes.pidOf(ref);
      if (pid === undefined) throw new Error(`container ${ref.container} is not running`);
      const child = inNamespacesOfProcess(pid, () => {
        checkExecutable(spec.argv[0], spec.workingDir, spec.env);
        return spawnInside(spec);
      });
      if (child.pid !== undefined) cgroups.add(ref.podUid, `${ref.container}-${ref.attempt}`, child.pid);
      return child;
    },
    pidOf: processes.pidOf,
    async connect(podUid, ip, port): Promise<Socket> {
      const path = layout.network(podUid);
      if (!isNetworkNamespace(path)) return connected(ip, port);
      // Servers may listen on the Pod's address only: then that is what the user means.
      return connectFromNamespace(path, '127.0.0.1', port).catch(() => connectFromNamespace(path, ip, port));
    },
    close: processes.close,
  };
}

/** The host's end of a Pod's veth pair; at most 15 bytes. */
export function hostLink(podUid: string): string {
  return `fl${shortHash(podUid)}`;
}

function attach(spec: SandboxSpec, path: string, { bridge, gateway }: PodNetwork): void {
  const namespaceFd = openSync(path, 'r');
  try {
    using route = openRoute();
    const master = route.link(bridge)?.index;
    if (master === undefined) throw new Error(`the bridge ${bridge} is not there`);
    const name = hostLink(spec.podUid);
    // Left over from a crash between the two ends' making.
    route.deleteLink(name);
    const peer = { name: 'eth0', namespaceFd };
    // Hairpin: a Pod may reach itself through its own Service.
    route.createLink({ name, kind: 'veth', up: true, master, hairpin: true, alias: spec.podUid, peer });
  } finally {
    closeSync(namespaceFd);
  }
  inNetworkNamespace(path, () => {
    using route = openRoute();
    route.setLink('eth0', { up: true });
    route.addAddress('eth0', `${spec.ip}/32`);
    const { index = 0 } = route.link('eth0') ?? {};
    route.replaceRoute({ destination: `${gateway}/32`, linkIndex: index });
    route.replaceRoute({ destination: '0.0.0.0/0', linkIndex: index, gateway });
    // The host sends Pods redirects to each other; following them would go around its rules.
    writeSysctl('net.ipv4.conf.all.accept_redirects', '0');
    writeSysctl('net.ipv4.conf.eth0.accept_redirects', '0');
  });
}

/** Ends every process inside a Pod's network, should there be no control groups. */
function endNamespace(path: string): void {
  if (!isNetworkNamespace(path)) return;
  killStrays({ network: `net:[${statSync(path).ino}]` });
}

function spawnInside({ argv, env, workingDir, user, stdio, hasTerminal }: ExecSpec) {
  const command = wrapCommand(argv, user, new Map());
  const [program = '', ...args] = hasTerminal ? ['/usr/bin/setsid', '-c', ...command] : command;
  return spawn(program, args, {
    cwd: workingDir,
    env: Object.fromEntries(env),
    stdio: [...stdio],
    detached: !hasTerminal,
  });
}
