import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { isolateNetwork } from '../namespaces.ts';
import { generation, listChains, openNetfilter } from '../nftables/dump.ts';
import { Transaction } from '../nftables/transaction.ts';

isolateNetwork();
const socket = openNetfilter();
after(() => socket.close());

/** So many that the kernel lists them in several pieces. */
const count = 3000;

/** Takes away the oldest chain and adds a new one at the end, in one transaction, over and over in one's own thread. */
const changer = `
  const { openNetfilter } = await import(${JSON.stringify(new URL('../nftables/dump.ts', import.meta.url).href)});
  const { Transaction } = await import(${JSON.stringify(new URL('../nftables/transaction.ts', import.meta.url).href)});
  const socket = openNetfilter();
  for (let next = ${count}; ; next += 1) {
    const transaction = new Transaction(socket);
    transaction.deleteChain('ip', 'busy', 'chain' + (next - ${count}));
    transaction.addChain('ip', 'busy', { name: 'chain' + next });
    transaction.commit();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
`;

test('a list that changed between its pieces is asked for again, until it is whole', async () => {
  const transaction = new Transaction(socket);
  transaction.addTable('ip', 'busy', '');
  for (let at = 0; at < count; at += 1) transaction.addChain('ip', 'busy', { name: `chain${at}` });
  transaction.commit();
  const before = generation(socket);
  await using _worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(changer)}`));
  while (generation(socket) < before + 10) await new Promise((resolve) => setTimeout(resolve, 1));
  while (generation(socket) < before + 100) assert.equal(listChains(socket, 'ip', 'busy').size, count);
});
