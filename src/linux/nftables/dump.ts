import { isErrno } from '../errno.ts';
import { type Message, type MessageWriter, readAttributes, readString } from '../netlink/message.ts';
import { NetlinkSocket, netlinkProtocol } from '../netlink/socket.ts';
import { ElementView, eachListed } from './element-view.ts';
import { type SetElement, type SetSpec, writeElement } from './sets.ts';
import type { NftFamily } from './transaction.ts';
import { readComment } from './userdata.ts';

const subsystem = 10 << 8;
const GET = { table: 1, chain: 4, rule: 7, set: 10, element: 13, generation: 16 } as const;

/** A table as the kernel has it. */
export interface DumpedTable {
  readonly family: number;
  readonly name: string;
  /** Unique in the namespace: a table that was deleted and made again has another. */
  readonly handle: bigint;
  readonly comment: string | undefined;
}

/** Opens nfnetlink in the thread's network namespace: for `Transaction` and the functions here. */
export function openNetfilter(): NetlinkSocket {
  // A transaction is one datagram, and the largest (a cold start) is several megabytes.
  return new NetlinkSocket(netlinkProtocol.netfilter, 'nfnetlink', 256 << 20);
}

/** The number of the current rule set: every commit, of anyone, makes a new one. */
export function generation(socket: NetlinkSocket): number {
  let id = 0;
  const visit = ({ payload }: Message) => (id = readAttributes(payload, 4).get(1)?.readUInt32BE(0) ?? 0);
  socket.dump(subsystem | GET.generation, 'nftables generation', (writer) => header(writer, 0), visit, 0);
  return id;
}

/** Tables of every family. */
export function listTables(socket: NetlinkSocket): DumpedTable[] {
  const tables: DumpedTable[] = [];
  socket.dump(
    subsystem | GET.table,
    'list tables',
    (writer) => header(writer, 0),
    ({ payload }) => {
      const attributes = readAttributes(payload, 4);
      tables.push({
        family: payload.readUInt8(0),
        name: readString(attributes.get(1)),
        handle: attributes.get(4)?.readBigUInt64BE(0) ?? 0n,
        comment: readComment(attributes.get(6)),
      });
    },
  );
  return tables;
}

/** One table; undefined when there is none. */
export function findTable(socket: NetlinkSocket, family: NftFamily, name: string): DumpedTable | undefined {
  return listTables(socket).find((table) => table.family === familyNumber(family) && table.name === name);
}

/** Names of a table's chains, each with its number of rules. */
export function listChains(socket: NetlinkSocket, family: NftFamily, table: string): Map<string, number> {
  const chains = new Map<string, number>();
  const build = (writer: MessageWriter) => header(writer, familyNumber(family)).attributeString(1, table);
  socket.dump(subsystem | GET.chain, 'list chains', build, ({ payload }) => {
    const attributes = readAttributes(payload, 4);
    if (readString(attributes.get(1)) === table) chains.set(readString(attributes.get(3)), 0);
  });
  socket.dump(subsystem | GET.rule, 'list rules', build, ({ payload }) => {
    const attributes = readAttributes(payload, 4);
    const chain = readString(attributes.get(2));
    if (readString(attributes.get(1)) === table) chains.set(chain, (chains.get(chain) ?? 0) + 1);
  });
  return chains;
}

/** Names of a table's sets and maps. */
export function listSets(socket: NetlinkSocket, family: NftFamily, table: string): string[] {
  const sets: string[] = [];
  const build = (writer: MessageWriter) => header(writer, familyNumber(family)).attributeString(1, table);
  socket.dump(subsystem | GET.set, 'list sets', build, ({ payload }) => {
    const attributes = readAttributes(payload, 4);
    if (readString(attributes.get(1)) === table) sets.push(readString(attributes.get(2)));
  });
  return sets;
}

/** Calls `visit` for each element of a set or map; nothing when the set is not there. */
export function eachElement(
  socket: NetlinkSocket,
  family: NftFamily,
  table: string,
  set: string,
  visit: (element: ElementView) => void,
): void {
  const view = new ElementView();
  const build = (writer: MessageWriter) =>
    header(writer, familyNumber(family)).attributeString(1, table).attributeString(2, set);
  try {
    socket.dump(subsystem | GET.element, `list set ${set}`, build, ({ payload }) => eachListed(payload, view, visit));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** The same for the elements with these keys (at most 64,000 bytes of them), up to the first that is not there. */
export function findElements(
  socket: NetlinkSocket,
  family: NftFamily,
  table: string,
  spec: SetSpec,
  keys: readonly Pick<SetElement, 'key' | 'keyEnd'>[],
  visit: (element: ElementView) => void,
): void {
  const view = new ElementView();
  const build = (writer: MessageWriter) => {
    header(writer, familyNumber(family)).attributeString(1, table).attributeString(2, spec.name);
    const list = writer.nest(3);
    for (const { key, keyEnd } of keys) writeElement(writer, spec, { key, keyEnd });
    writer.endNest(list);
  };
  try {
    const take = ({ payload }: Message) => eachListed(payload, view, visit);
    socket.dump(subsystem | GET.element, `find in ${spec.name}`, build, take, 0);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function familyNumber(family: NftFamily): number {
  return family === 'ip' ? 2 : 10;
}

function header(writer: MessageWriter, family: number): MessageWriter {
  return writer.u8(family).u8(0).u16be(0);
}
