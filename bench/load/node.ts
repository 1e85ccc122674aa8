import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupRoot } from '../../src/linux/cgroup.ts';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { Path, serverAddresses } from './path.ts';
import { type KernelPlane, openers } from './planes.ts';
import { network, routerOf, serviceAddress, sliceWith } from './services.ts';

/** A path over a node that serves Services, all of which lead to the path's servers. */
export class ServiceNode implements AsyncDisposable {
  readonly path: Path;
  readonly #services: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, services: number, cgroup: string | undefined) {
    this.#child = child;
    this.#services = services;
    this.path = new Path(`/proc/${child.pid}/ns/net`);
    if (cgroup !== undefined) this.path.serve((work) => inCgroup(cgroup, work));
  }

  /**
   * Starts a process that is the node and, once its plane is in force, waits: what it had to do, and what it remembers,
   * is not in the way of who measures.
   */
  static async start(plane: KernelPlane, services: number): Promise<ServiceNode> {
    const child = fork(import.meta.filename, [plane, `${services}`]);
    const [answer] = await Promise.race([once(child, 'message'), failed(child)]);
    return new ServiceNode(child, services, (answer as Ready).cgroup);
  }

  /** Milliseconds of a handshake with one of the Services, always the same. */
  connect(): number {
    return this.path.connect(serviceAddress(this.#services >> 1), 80);
  }

  /** Milliseconds of a handshake with any of them. */
  connectToAny(): number {
    return this.path.connect(serviceAddress(Math.floor(Math.random() * this.#services)), 80);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.path[Symbol.dispose]();
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

interface Ready {
  /** Where sockets are made that the plane is to serve; undefined for a plane that does not look at sockets. */
  readonly cgroup: string | undefined;
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the node ended with ${code} before it was ready`);
}

/** A socket belongs to the cgroup that its process is in when it is made. */
function inCgroup<T>(cgroup: string, work: () => T): T {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  const move = (folder: string): void => writeFileSync(join(folder, 'cgroup.procs'), `${process.pid}`);
  move(cgroup);
  try {
    return work();
  } finally {
    move(join(cgroupRoot() ?? '', own));
  }
}

/** The process of a node: it ends, and takes everything away, when its parent lets go of it. */
async function beNode(plane: KernelPlane, services: number): Promise<void> {
  isolateNetwork();
  const router = routerOf(services, 2);
  for (let number = 0; number < services; number += 1) {
    router.apply({ type: 'slice', new: sliceWith(number, serverAddresses) });
  }
  const ended = once(process, 'disconnect');
  await using opened = await openers[plane](network);
  await opened.plane.adopt([...router.frontends()]);
  process.send?.({ cgroup: opened.cgroup } satisfies Ready);
  await ended;
}

if (import.meta.main) {
  await beNode(process.argv[2] as KernelPlane, Number(process.argv[3]));
  process.exit();
}
