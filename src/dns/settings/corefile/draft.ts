import type { DnsSettings, ServerSettings } from '../settings.ts';
import type { Directive } from './blocks.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A server while its block is read. */
export type ServerDraft = Mutable<ServerSettings> & {
  /** Addresses of `bind`; empty for all. */
  bind: readonly string[];
};

/** What blocks say about the whole process. */
export type ProcessDraft = Mutable<Omit<DnsSettings, 'servers'>>;

/** Where relative paths start, and what else readers need. */
export interface ReadContext {
  readonly server: ServerDraft;
  readonly process: ProcessDraft;
  /** Makes a path of the file an absolute one. */
  readonly path: (text: string) => string;
  /** Addresses in a `resolv.conf`; undefined when it cannot be read. */
  readonly resolvers: (path: string) => readonly string[] | undefined;
  /** Search list of this machine: with `dnsPolicy: Default` that of its node. */
  readonly searchList: () => readonly string[];
  /** Said to the user: accepted, but without effect here, and why. */
  readonly note: (directive: Directive, what: string) => void;
}

/** Reads one directive into the draft. */
export type DirectiveReader = (directive: Directive, context: ReadContext) => void;
