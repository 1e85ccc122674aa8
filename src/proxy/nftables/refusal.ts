import { SystemError } from '../../linux/errno.ts';
import { errorText } from '../../observe/log.ts';

const full = "one of the kernel's sets is full";
const lacking = 'this kernel lacks what its rules need';

/** What the kernel's errors mean for one Service; rules first, because ENOENT of an element means something else. */
const reasons: Readonly<Record<string, string>> = {
  'rule ENOENT': lacking,
  'rule EOPNOTSUPP': lacking,
  'rule ERANGE': 'a number in it is more than the kernel takes',
  ENFILE: full,
  ENOSPC: full,
  ENOMEM: 'the kernel has no memory for it',
  ENOBUFS: 'the kernel has no memory for it',
  EMSGSIZE: 'it is too large for one change: fewer endpoints, or a larger net.core.wmem_max',
  EEXIST: 'its ports overlap with those of another Service',
};

/** Why a Service was refused, for whoever wrote it; what the kernel said follows. */
export function refusalReason(error: unknown): string {
  if (!(error instanceof SystemError)) return errorText(error);
  const isRule = error.syscall.startsWith('nftables: rule');
  const reason = (isRule ? reasons[`rule ${error.code}`] : undefined) ?? reasons[error.code];
  return reason === undefined ? error.message : `${reason} (${error.message})`;
}
