import { lchown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { becomeUser, type Capability, type User } from '../linux/privileges.ts';
import type { Logger } from '../observe/log.ts';

export interface LeaveRootOptions {
  /** Given to the user with all that is in it. */
  readonly dataDir?: string;
  /** What of a node cache ends with the process. */
  readonly node?: { readonly needsRights: boolean };
  readonly logger: Logger;
}

/**
 * Goes on as another user, for good. What stays is the right to bind low ports, so that other settings may bring other
 * addresses, and, of a node cache whose addresses are on `lo`, the right to take them away. Rejects when this is not root.
 */
export async function leaveRoot(user: User, { dataDir, node, logger }: LeaveRootOptions): Promise<void> {
  if (dataDir !== undefined) await giveFolder(dataDir, user);
  const kept: Capability[] = ['CAP_NET_BIND_SERVICE', ...(node?.needsRights ? (['CAP_NET_ADMIN'] as const) : [])];
  becomeUser(user, kept);
  logger.info('no longer root', { uid: user.uid, gid: user.gid, kept });
}

async function giveFolder(folder: string, { uid, gid }: User): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of ['.', ...(await readdir(folder))]) await lchown(join(folder, name), uid, gid);
}
