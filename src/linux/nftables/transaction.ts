import { MessageWriter, messageFlags } from '../netlink/message.ts';
import type { NetlinkSocket, Refusal } from '../netlink/socket.ts';
import { SystemError } from '../errno.ts';
import type { Expression } from './expressions.ts';
import { type SetElement, type SetSpec, writeElement, writeSet } from './sets.ts';
import { commentData } from './userdata.ts';

const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const subsystem = 10 << 8;
const MESSAGE = { newTable: 0, delTable: 2, newChain: 3, delChain: 5, newRule: 6, delRule: 8, newSet: 9, delSet: 11 };
const MESSAGE_NEW_ELEMENT = 12;
/** NFT_TABLE_F_OWNER. */
const tableOwner = 2;
const MESSAGE_DEL_ELEMENT = 14;
/** A nested attribute holds at most 65,535 bytes; the longest element is far below the rest. */
const listLimit = 64_000;

export type NftFamily = 'ip' | 'ip6';

const familyNumbers = { ip: 2, ip6: 10 } as const;
const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;

/** Where the kernel calls a chain from; smaller priorities come first. */
export interface Hook {
  readonly type: 'filter' | 'nat';
  readonly hook: keyof typeof hooks;
  readonly priority: number;
}

export interface Chain {
  readonly name: string;
  /** Only base chains have one. */
  readonly hook?: Hook;
}

/**
 * Changes to nftables that the kernel carries out all together or not at all. Build, then `commit` once.
 */
export class Transaction {
  readonly #socket: NetlinkSocket;
  readonly #writer: MessageWriter;
  /** What each message was for, by sequence number. */
  readonly #labels = new Map<number, string>();
  #lastStart = 0;
  #setId = 0;
  /** Objects written or removed so far: tables, chains, rules, sets, elements. */
  operations = 0;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
    this.#writer = new MessageWriter(16 * 1024);
    this.#batch(BATCH_BEGIN);
  }

  /**
   * `owned` ties it to the socket (NFT_TABLE_F_OWNER, Linux 5.12): nobody else may change it, and the kernel takes it away when
   * the socket closes, also by the death of its process.
   */
  addTable(family: NftFamily, table: string, comment: string, options: { readonly owned?: boolean } = {}): void {
    const flags = options.owned ? tableOwner : 0;
    this.#message(MESSAGE.newTable, messageFlags.create, family, `table ${table}`, (writer) => {
      writer.attributeString(1, table).attributeU32be(2, flags).attribute(6, commentData(comment));
    });
  }

  /** With everything in it. */
  deleteTable(family: NftFamily, table: string): void {
    this.#message(MESSAGE.delTable, 0, family, `delete table ${table}`, (writer) => writer.attributeString(1, table));
  }

  addChain(family: NftFamily, table: string, chain: Chain): void {
    this.#message(MESSAGE.newChain, messageFlags.create, family, `chain ${chain.name}`, (writer) => {
      writer.attributeString(1, table).attributeString(3, chain.name);
      if (chain.hook !== undefined) writeHook(writer, chain.hook);
    });
  }

  /** Takes every rule out of it. */
  flushChain(family: NftFamily, table: string, chain: string): void {
    this.#message(MESSAGE.delRule, 0, family, `flush chain ${chain}`, (writer) => {
      writer.attributeString(1, table).attributeString(2, chain);
    });
  }

  /** One rule, by the handle that a dump tells. */
  deleteRule(family: NftFamily, table: string, chain: string, handle: bigint): void {
    this.#message(MESSAGE.delRule, 0, family, `delete a rule of ${chain}`, (writer) => {
      writer.attributeString(1, table).attributeString(2, chain).attribute(3, bigEndian(handle));
    });
  }

  /** Its rules too. The kernel refuses (EBUSY) while anything refers to it. */
  deleteChain(family: NftFamily, table: string, chain: string): void {
    this.flushChain(family, table, chain);
    this.#message(MESSAGE.delChain, 0, family, `delete chain ${chain}`, (writer) => {
      writer.attributeString(1, table).attributeString(3, chain);
    });
  }

  /** Appends a rule. */
  addRule(family: NftFamily, table: string, chain: string, rule: readonly Expression[], comment?: string): void {
    const flags = messageFlags.create | messageFlags.append;
    this.#message(MESSAGE.newRule, flags, family, `rule in ${chain}`, (writer) => {
      writer.attributeString(1, table).attributeString(2, chain);
      const list = writer.nest(4);
      for (const write of rule) write(writer);
      writer.endNest(list);
      if (comment !== undefined) writer.attribute(7, commentData(comment));
    });
  }

  addSet(family: NftFamily, table: string, spec: SetSpec): void {
    this.#setId += 1;
    this.#message(MESSAGE.newSet, messageFlags.create, family, `set ${spec.name}`, (writer) =>
      writeSet(writer, table, spec, this.#setId),
    );
  }

  deleteSet(family: NftFamily, table: string, set: string): void {
    this.#message(MESSAGE.delSet, 0, family, `delete set ${set}`, (writer) =>
      writer.attributeString(1, table).attributeString(2, set),
    );
  }

  addElements(family: NftFamily, table: string, spec: SetSpec, elements: readonly SetElement[]): void {
    this.#elements(MESSAGE_NEW_ELEMENT, messageFlags.create, family, table, spec, elements);
  }

  /** The kernel refuses (ENOENT) an element that is not there. Only keys are looked at. */
  deleteElements(family: NftFamily, table: string, spec: SetSpec, elements: readonly SetElement[]): void {
    const keys = elements.map(({ key, keyEnd }) => ({ key, keyEnd }));
    this.#elements(MESSAGE_DEL_ELEMENT, 0, family, table, spec, keys);
  }

  /** Takes every element out of a set. */
  flushSet(family: NftFamily, table: string, set: string): void {
    this.#message(MESSAGE_DEL_ELEMENT, 0, family, `flush set ${set}`, (writer) =>
      writer.attributeString(1, table).attributeString(2, set),
    );
  }

  /**
   * Sends it; false when there was nothing to do. Throws `SystemError` that names the first refused message; then nothing
   * has changed.
   */
  commit(): boolean {
    if (this.#labels.size === 0) return false;
    // Kernels before 6.10 acknowledge no batch end, so the last message asks: acknowledged after the commit.
    const flags = this.#writer.bytes.readUInt16LE(this.#lastStart + 6);
    this.#writer.bytes.writeUInt16LE(flags | messageFlags.ack, this.#lastStart + 6);
    const last = this.#writer.bytes.readUInt32LE(this.#lastStart + 8);
    this.#batch(BATCH_END);
    const refused = this.#exchange(last);
    if (refused === undefined) return true;
    const label = this.#labels.get(refused.sequence) ?? 'transaction';
    throw new SystemError(`nftables: ${label}`, refused.error.errno, refused.error.detail);
  }

  #exchange(last: number): Refusal | undefined {
    try {
      return this.#socket.exchange(this.#writer.written(), last, 'nftables')[0];
    } finally {
      this.#writer.release();
    }
  }

  #elements(
    message: number,
    flags: number,
    family: NftFamily,
    table: string,
    spec: SetSpec,
    elements: readonly SetElement[],
  ): void {
    for (let next = 0; next < elements.length;) {
      this.#message(message, flags, family, `elements of ${spec.name}`, (writer) => {
        writer.attributeString(1, table).attributeString(2, spec.name);
        const list = writer.nest(3);
        const start = writer.length;
        for (; next < elements.length && writer.length - start < listLimit; next += 1) {
          const element = elements[next];
          if (element !== undefined) writeElement(writer, spec, element);
        }
        writer.endNest(list);
      });
    }
    this.operations += Math.max(0, elements.length - 1);
  }

  #message(
    type: number,
    flags: number,
    family: NftFamily,
    label: string,
    build: (writer: MessageWriter) => void,
  ): void {
    const sequence = this.#socket.nextSequence();
    this.#labels.set(sequence, label);
    this.operations += 1;
    this.#lastStart = this.#writer.begin(subsystem | type, messageFlags.request | flags, sequence);
    this.#writer.u8(familyNumbers[family]).u8(0).u16be(0);
    build(this.#writer);
    this.#writer.end(this.#lastStart);
  }

  #batch(type: number): void {
    const start = this.#writer.begin(type, messageFlags.request, this.#socket.nextSequence());
    this.#writer.u8(0).u8(0).u16be(10);
    this.#writer.end(start);
  }
}

function bigEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function writeHook(writer: MessageWriter, hook: Hook): void {
  const nest = writer.nest(4);
  writer.attributeU32be(1, hooks[hook.hook]).attributeU32be(2, hook.priority).endNest(nest);
  writer.attributeU32be(5, 1).attributeString(7, hook.type);
}
