import type { Finding } from './checks.ts';
import type { Host } from './host.ts';

/** nftables sets with concatenated keys and verdict maps as the plane uses them: Linux 5.13. */
const planeKernel = [5, 13] as const;

/** Whether the kernel has what the data plane uses. */
export function checkKernel({ platform, kernel }: Host): Finding {
  const check = 'kernel';
  if (platform !== 'linux') {
    return {
      check,
      state: 'warn',
      found: platform,
      why: 'network namespaces and the kernel data path exist on Linux only',
      todo: 'it works in the reduced way of docs/guide/without-root.md; for all of it use a Linux machine',
    };
  }
  const [major = 0, minor = 0] = kernel.split('.').map(Number.parseFloat);
  const isNew = major > planeKernel[0] || (major === planeKernel[0] && minor >= planeKernel[1]);
  if (isNew) return { check, state: 'ok', found: `Linux ${kernel}` };
  return {
    check,
    state: 'warn',
    found: `Linux ${kernel}`,
    why: `the nftables plane is made for Linux ${planeKernel.join('.')} and newer`,
    todo: 'update the kernel, or start with: fairlead up --plane userspace',
  };
}

/** Whether this Node can run the program. */
export function checkNode({ node }: Host): Finding {
  const isNew = Number.parseInt(node, 10) >= 26;
  if (isNew) return { check: 'node', state: 'ok', found: `Node ${node}` };
  const why = 'Fairlead runs from TypeScript source, which needs Node 26';
  return {
    check: 'node',
    state: 'fail',
    found: `Node ${node}`,
    why,
    todo: 'start it with ./fairlead, which brings its own',
  };
}

/** Whether kubectl is there; it is not needed. */
export function checkKubectl(host: Host): Finding {
  const path = host.find('kubectl');
  const found = path ?? 'not on PATH (not needed: fairlead get, apply, describe, …)';
  return { check: 'kubectl', state: 'ok', found };
}

/** Whether names outside the cluster can be forwarded somewhere. */
export function checkResolver(host: Host): Finding {
  const text = host.read('/etc/resolv.conf');
  const servers = [...(text ?? '').matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address);
  if (servers.length > 0) return { check: 'resolv.conf', state: 'ok', found: servers.join(', ') };
  return {
    check: 'resolv.conf',
    state: 'warn',
    found: text === undefined ? 'missing' : 'names no server',
    why: 'the cluster DNS forwards other names to the servers of this machine, and exec shows programs another version of the file',
    todo: 'write a line such as "nameserver 9.9.9.9" into /etc/resolv.conf, if names outside are wanted',
  };
}
