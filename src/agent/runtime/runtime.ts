import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/** One run of one container. */
export interface AttemptRef {
  readonly podUid: string;
  readonly container: string;
  /** 0 for the first start. */
  readonly attempt: number;
}

/** The network of a Pod. */
export interface SandboxSpec {
  readonly podUid: string;
  readonly hostname: string;
  /** IPv4 address of the Pod; the node's own for a Pod in the host's network. */
  readonly ip: string;
  readonly isHostNetwork: boolean;
}

/** A file or folder that a container sees at `target`. */
export interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** Who a process runs as; undefined parts stay the agent's. */
export interface ProcessUser {
  readonly uid?: number;
  readonly gid?: number;
  readonly groups: readonly number[];
  readonly noNewPrivileges: boolean;
}

/** A container's process, ready to run. */
export interface ProcessSpec extends AttemptRef {
  readonly argv: readonly [string, ...string[]];
  readonly env: ReadonlyMap<string, string>;
  readonly workingDir: string;
  readonly user: ProcessUser;
  readonly mounts: readonly BindMount[];
  readonly isReadOnlyRoot: boolean;
  readonly hasStdin: boolean;
  readonly hasTerminal: boolean;
}

/** A further process inside a running container. */
export interface ExecSpec {
  readonly argv: readonly [string, ...string[]];
  readonly env: ReadonlyMap<string, string>;
  readonly workingDir: string;
  readonly user: ProcessUser;
  /** As for `child_process.spawn`; descriptors are the caller's. */
  readonly stdio: readonly ('pipe' | 'ignore' | number)[];
  /** Make the first descriptor the controlling terminal. */
  readonly hasTerminal: boolean;
}

/** What ended a process: an exit code (128 + n for signal n), or nothing known (the machine or its guard died). */
export interface ProcessEnd {
  readonly code: number | undefined;
  /** Unix milliseconds. */
  readonly finishedMs: number;
}

/** The program could not be started; the message says why in the words of container runtimes. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * A way of running Pods' processes on this node.
 *
 * Processes belong to the data folder, not to this object: they survive it, and `adopt` of a later one takes them over.
 * `contract.ts` is the suite that every runtime passes.
 */
export interface Runtime {
  readonly name: 'netns' | 'plain';
  /** Whether containers see volumes and their own /etc/resolv.conf and /etc/hosts. */
  readonly hasMounts: boolean;
  /** Makes the Pod's network; what is there already stays. */
  createSandbox(spec: SandboxSpec): void;
  hasSandbox(podUid: string): boolean;
  /** Ends every process of the Pod at once and takes its network and mounts away. */
  removeSandbox(podUid: string): Promise<void>;
  /** Starts a process; `onEnd` is called once. Throws `StartError`. */
  start(spec: ProcessSpec, sandbox: SandboxSpec, onEnd: (end: ProcessEnd) => void): void;
  /** Watches a process that an earlier agent started; `onEnd` is called at once when it ended meanwhile. */
  adopt(ref: AttemptRef, onEnd: (end: ProcessEnd) => void): void;
  /** Signals the process and its process group; without effect when it has ended. */
  signal(ref: AttemptRef, signal: NodeJS.Signals): Promise<void>;
  /** SIGKILL to everything the container has started. */
  kill(ref: AttemptRef): Promise<void>;
  /** Starts a process inside the container. Throws `StartError`. */
  exec(ref: AttemptRef, spec: ExecSpec): ChildProcess;
  /** Main process of a running container; undefined when it has none. */
  pidOf(ref: AttemptRef): number | undefined;
  /** Connects to a port on the Pod's loopback interface, else on its address. */
  connect(podUid: string, ip: string, port: number): Promise<Socket>;
  /** Stops watching; processes go on. */
  close(): void;
}
