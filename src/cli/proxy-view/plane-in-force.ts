import { isErrno } from '../../linux/errno.ts';
import { mayAdministerNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import type { FrontendCounters, NodeNetwork, PlaneName } from '../../proxy/dataplane.ts';
import { readRunRecord } from '../../proxy/run-record.ts';
import type { Frontend, FrontendKey } from '../../routing/frontend.ts';
import { CommandError } from '../command-error.ts';
import type { CommandIo } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { isRunning } from '../run-file.ts';
import { findRunFile } from '../running.ts';

/** What a plane has in force in this network namespace. */
export interface PlaneInForce {
  readonly name: PlaneName;
  readonly frontends: readonly Frontend[];
  readonly counters: ReadonlyMap<FrontendKey, FrontendCounters>;
}

const nowhere: NodeNetwork = { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] };

/**
 * Reads the plane whose state the kernel has, without taking it over: found in the kernel itself, so it need not be that of
 * a running process. Undefined when there is none, or the userspace plane is in force. Throws `CommandError` when this user may not look.
 */
export async function readPlaneInForce(): Promise<PlaneInForce | undefined> {
  try {
    return await readPlane();
  } catch (error) {
    if (!isErrno(error, 'EPERM') && !isErrno(error, 'EACCES')) throw error;
    throw notAllowed(error);
  }
}

async function readPlane(): Promise<PlaneInForce | undefined> {
  const { openPlane, planesInKernel } = await import('../../proxy/open-plane.ts');
  const record = readRunRecord();
  if (record?.plane === 'userspace') return undefined;
  // Of the userspace plane the kernel has addresses alone.
  const present = (await planesInKernel()).filter((each) => each !== 'userspace');
  const name = present.find((each) => each === record?.plane) ?? present[0];
  if (name === undefined) return undefined;
  const network = record?.network ?? nowhere;
  const plane = await openPlane(name, { ...record?.planeSettings, network, logger: silentLogger });
  try {
    return { name, frontends: await plane.dump(), counters: await plane.counters() };
  } finally {
    await plane.close();
  }
}

/** The same for commands that show it. Throws `CommandError` also when there is nothing to read, and says why. */
export async function requirePlane(io: Pick<CommandIo, 'env' | 'uid' | 'cwd'>): Promise<PlaneInForce> {
  const userspace = userspaceProcess(io);
  if (userspace !== undefined)
    throw new CommandError(`the userspace plane is in force, with its state in its process (${userspace})`, {
      hint: 'what it does with a connection, and why, is told by fairlead trace',
    });
  const plane = await readPlaneInForce();
  if (plane !== undefined) return plane;
  if (process.platform === 'linux' && !mayAdministerNetwork()) throw notAllowed();
  throw new CommandError('no data plane has state in the kernel of this machine', {
    hint: 'the userspace plane keeps its state in its process; else no proxy runs here, or it runs in another network namespace',
  });
}

/** The process with the userspace plane; without root it says so only in the file of `fairlead up`. */
function userspaceProcess(io: Pick<CommandIo, 'env' | 'uid' | 'cwd'>): number | undefined {
  const record = readRunRecord();
  if (record !== undefined) return record.plane === 'userspace' ? record.pid : undefined;
  const run = io.uid === 0 ? undefined : findRunFile({}, io);
  return run?.plane.name === 'userspace' && isRunning(run) ? run.pid : undefined;
}

function notAllowed(cause?: unknown): CommandError {
  const userspace =
    '; of a userspace plane, which needs no root, all state is in its process, where sudo shows nothing';
  return new CommandError('the kernel lets only root look at its rules', {
    code: exitCodes.unsupported,
    hint: `run it with sudo${readRunRecord() === undefined ? userspace : ''}`,
    cause,
  });
}
