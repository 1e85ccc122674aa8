import { availableParallelism, hostname } from 'node:os';
import { bareSettings, emptyServer } from '../cluster-server.ts';
import type { DnsSettings, ListenSettings, ServerSettings } from '../settings.ts';
import { SettingsError } from '../settings-error.ts';
import { blocksOf, type Block, type Directive, type ReadImport } from './blocks.ts';
import type { DirectiveReader, ProcessDraft, ReadContext, ServerDraft } from './draft.ts';
import { readFile, readHosts, readRewrite, readTemplate } from './read-answers.ts';
import { readExternal, readKubernetes } from './read-cluster.ts';
import { readCache, readForward } from './read-forward.ts';
import {
  readAcl,
  readAutopath,
  readBind,
  readDns64,
  readDnstap,
  readKey,
  readLog,
  readTls,
  readTransfer,
  readView,
} from './read-policy.ts';
import { tokensOf } from './tokens.ts';
import { readAddress, readDuration, readNumber, wrong } from '../values.ts';
import { onlyArgument, readOptions } from './options.ts';

const noted =
  (why: string): DirectiveReader =>
  (directive, { note }) =>
    note(directive, why);

/** Options of a block would not be read: there is none. */
const withoutBlock =
  (read: DirectiveReader): DirectiveReader =>
  (directive, context) => {
    readOptions(directive, {});
    read(directive, context);
  };

/** Every directive that is understood. One that is not here is an error, never ignored. */
const readers: Readonly<Record<string, DirectiveReader>> = {
  kubernetes: readKubernetes,
  k8s_external: readExternal,
  forward: readForward,
  cache: readCache,
  hosts: readHosts,
  rewrite: readRewrite,
  template: readTemplate,
  file: readFile,
  acl: readAcl,
  view: readView,
  dns64: readDns64,
  autopath: withoutBlock(readAutopath),
  log: readLog,
  dnstap: readDnstap,
  tls: withoutBlock(readTls),
  transfer: readTransfer,
  bind: withoutBlock(readBind),
  minimal: withoutBlock((_, { server }) => (server.minimal = true)),
  health: (directive, { process }) => {
    let lameDuckMs = 0;
    readOptions(directive, { lameduck: (option) => (lameDuckMs = readDuration(onlyArgument(option))) });
    const [address] = directive.args;
    process.health = { ...readAddress(address ?? { ...directive.name, text: ':8080' }, 8080), lameDuckMs };
  },
  ready: withoutBlock(({ args: [address], name }, { process }) => {
    process.ready = readAddress(address ?? { ...name, text: ':8181' }, 8181);
  }),
  prometheus: withoutBlock(({ args: [address], name }, { process }) => {
    process.metrics = readAddress(address ?? { ...name, text: 'localhost:9153' }, 9153);
  }),
  reload: withoutBlock((directive, { process, note }) => {
    const [interval, jitter] = directive.args;
    if (jitter !== undefined) note(directive, 'jitter: files are looked at at an even pace');
    process.reloadSeconds = interval === undefined ? 30 : readDuration(interval) / 1000;
  }),
  multisocket: withoutBlock(({ args: [count] }, { process }) => {
    process.workers = count === undefined ? availableParallelism() : readNumber(count, 1, 64);
  }),
  loadbalance: noted('addresses always take turns'),
  loop: noted('a loop is always looked for; it sets the upstream server aside and does not end the program'),
  errors: noted('errors are always logged'),
  any: noted('ANY is always answered with one record set (RFC 8482)'),
  chaos: noted('version.bind is always answered'),
  nsid: ({ args }, { process }) => (process.identity = args.map(({ text }) => text).join(' ') || hostname()),
  local: noted('localhost and its kin are always answered'),
  bufsize: noted('answers over UDP never have more than 1232 bytes'),
  cancel: noted('questions always have a time limit'),
};

/** The directives that are understood: what `docs/guide/replacing-coredns.md` lists. */
export const directiveNames: readonly string[] = Object.keys(readers);

export interface CorefileOptions {
  /** Shown in errors; relative paths start at its folder. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readImport: ReadImport;
  readonly resolvers: ReadContext['resolvers'];
  readonly searchList: ReadContext['searchList'];
  readonly path: ReadContext['path'];
}

/** Settings of a Corefile, with what was accepted but has no effect here: `Corefile:7: loop: …`. */
export interface ReadCorefile {
  readonly settings: DnsSettings;
  readonly notes: readonly string[];
}

/** Reads a Corefile. Throws SettingsError with file and line for whatever is wrong or not supported. */
export function readCorefile(text: string, options: CorefileOptions): ReadCorefile {
  const notes: string[] = [];
  const process: ProcessDraft = { ...bareSettings };
  const blocks = blocksOf(tokensOf(text, options.file, options.environment), options.readImport);
  const servers = blocks.flatMap((block) => readServers(block, process, options, notes));
  if (servers.length === 0)
    throw new SettingsError(options.file, 1, 'there is no server: a zone and directives in braces');
  return { settings: { ...process, servers }, notes };
}

/** A block is as many servers as it has ports; they share everything else. */
function readServers(block: Block, process: ProcessDraft, options: CorefileOptions, notes: string[]): ServerSettings[] {
  const keys = block.keys.map(readKey);
  const draft: ServerDraft = { ...emptyServer, zones: [...new Set(keys.map(({ zone }) => zone))], bind: [] };
  const note = ({ name }: Directive, what: string): void =>
    void notes.push(`${name.file}:${name.line}: ${name.text}: ${what}`);
  for (const directive of block.directives) {
    const { name } = directive;
    const read = Object.hasOwn(readers, name.text) ? readers[name.text] : undefined;
    if (read === undefined) {
      const known = Object.keys(readers).join(', ');
      throw wrong(name, `the directive "${name.text}" is not supported; supported are ${known}`);
    }
    const { path, resolvers, searchList } = options;
    read(directive, { server: draft, process, path, resolvers, searchList, note });
  }
  const { bind, ...server } = draft;
  const addresses = bind.length === 0 ? ['0.0.0.0', '::'] : bind;
  return Object.values(Object.groupBy(keys, ({ transport, port }) => `${transport} ${port}`)).flatMap((group = []) => {
    const [first] = group;
    if (first === undefined) return [];
    const { transport, port } = first;
    const listen = addresses.map((address): ListenSettings => ({ transport, address, port }));
    return [{ ...server, zones: group.map(({ zone }) => zone), listen }];
  });
}
