import type { Logger } from '../../observe/log.ts';
import type { SocketAddress } from '../config.ts';
import { takeAddresses } from './addresses.ts';
import { keepUntracked } from './untracked.ts';

/** What a node needs so that its Pods find a DNS server on it; all of it is gone when this is disposed of. */
export function openNodeCache(addresses: readonly SocketAddress[], logger: Logger): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  stack.use(takeAddresses(addresses, logger));
  try {
    stack.use(keepUntracked(addresses, logger));
  } catch (error) {
    void stack.disposeAsync();
    throw error;
  }
  return stack;
}
