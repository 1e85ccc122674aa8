import { openNetfilter } from '../../linux/nftables/dump.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { programmedOf, readTable } from './read.ts';
import { layouts } from './schema.ts';

/**
 * The frontends in the kernel's tables as their elements tell them, for a process that did not program them. Which Pod is
 * behind a backend is not in the kernel. Undefined when there is no table of this version. Throws `SystemError` EPERM
 * without CAP_NET_ADMIN.
 */
export function inspectKernel(): readonly Frontend[] | undefined {
  using socket = openNetfilter();
  const tables = Object.values(layouts).map((layout) => ({ layout, table: readTable(socket, layout) }));
  if (tables.every(({ table }) => typeof table === 'string')) return undefined;
  return tables.flatMap(({ layout, table }) =>
    typeof table === 'string' ? [] : programmedOf(layout, table).map((programmed) => programmed.frontend),
  );
}
