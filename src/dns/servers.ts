import { chain } from './chain.ts';
import { compose } from './compose.ts';
import type { Tap } from './dnstap/tap.ts';
import type { Answer, ServerParts } from './handlers/handler.ts';
import { OthersAnswers } from './prebuilt/others-answers.ts';
import type { PrebuiltMemory } from './prebuilt/reader.ts';
import { pluginNumber } from './coredns-names.ts';
import { cidrContains, parseCidr } from '../lib/cidr.ts';
import type { ServerSettings, TlsSettings, TsigKey, ViewSettings } from './settings/settings.ts';
import { formatName, isWithin, parseKey } from './wire/names.ts';
import { typeNumber } from './wire/types.ts';
import type { Name } from './wire/names.ts';
import type { Query } from './wire/query.ts';
import { serveFiles } from './zone-file/served-file.ts';
import { Notifier } from './transfer/notifier.ts';
import { transferZones } from './transfer/zones.ts';

/** One configured server: its zones, and its handlers as one function. */
export interface Server extends Disposable {
  /** Lower case. */
  readonly zones: readonly Name[];
  readonly tls: TlsSettings | undefined;
  /** Zones whose names it knows by itself. */
  readonly ownZones: readonly Name[];
  /** Whether a query is for this server as far as its view goes. */
  readonly views: (query: Query) => boolean;
  /** Keys that its questions may be signed with. */
  readonly keys: readonly TsigKey[];
  /** Whether names of others are asked for. */
  readonly hasRecursion: boolean;
  /** Is told of every question that comes here and its answer. */
  readonly tap: Tap | undefined;
  /** As metrics name it; empty without a view. */
  readonly view: string;
  /** Names of its handlers. */
  readonly handlers: readonly string[];
  readonly ask: (query: Query) => Answer;
  /** Number of the plugin (`coredns-names.ts`) that the last query ended at. */
  readonly answeredBy: () => number;
  /** Answers that may be given without asking it, as `ask` would give them; undefined when there are none. */
  readonly prebuilt: PrebuiltMemory | undefined;
}

/** What the rest is made from. */
export interface GivenParts extends Omit<ServerParts, 'again' | 'files' | 'others'> {
  /** Which server is for what an alias leads to; the same one when undefined. */
  readonly serverFor?: (query: Query) => Server | undefined;
}

/**
 * Handlers that leave what is prebuilt as it is: nothing stands around the cluster's names and those of others, and what comes
 * before them answers other questions.
 */
const plainHandlers: ReadonlySet<string> = new Set([
  'transfer',
  'cluster',
  'special',
  'any',
  'ipv6',
  'forward',
  'refused',
]);

/** Makes the handlers of a server. Throws RangeError for a zone that is no name, and what is wrong with a zone file. */
export function createServer(settings: ServerSettings, given: GivenParts, tap?: Tap): Server {
  const again = (query: Query): Answer => (given.serverFor?.(query)?.ask ?? ask)(query);
  const { cluster, resolver } = given;
  const others = resolver && new OthersAnswers(cluster?.records, given.now);
  const parts: ServerParts = { ...given, files: serveFiles(settings.files, given), others, again };
  const handlers = chain.map((make) => make(settings, parts)).filter((handler) => handler !== undefined);
  let answeredBy = 0;
  const { names, ask } = compose(handlers, (handler) => (answeredBy = handler));
  const plugins = names.map(pluginNumber);
  const ownZones = transferZones(parts);
  const notifier = new Notifier(settings.transfer, ownZones, parts.logger);
  // Every client's questions come to this server, whatever they are about.
  const isPlain =
    settings.view === undefined && settings.zones.includes('.') && names.every((name) => plainHandlers.has(name));
  if (!isPlain) others?.close();
  const tellGiven = (): void => others && resolver?.noteGiven(others.look());
  const counting = given.metrics.beforeRender(tellGiven);
  return {
    prebuilt:
      isPlain && (cluster ?? others) !== undefined
        ? { cluster: cluster?.memo.memory, others: others?.memory }
        : undefined,
    zones: settings.zones.map(readZone),
    ownZones: ownZones.map(({ name }) => name),
    tls: settings.tls,
    tap,
    views: viewOf(settings.view),
    keys: settings.transfer.flatMap(({ keys }) => keys),
    hasRecursion: parts.resolver !== undefined,
    view: settings.view?.name ?? '',
    handlers: handlers.map(({ name }) => name),
    ask,
    answeredBy: () => plugins[answeredBy] ?? 0,
    [Symbol.dispose]() {
      tellGiven();
      counting[Symbol.dispose]();
      notifier[Symbol.dispose]();
    },
  };
}

function readZone(text: string): Name {
  const zone = parseKey(text);
  if (zone === undefined) throw new RangeError(`"${text}" is no zone`);
  return zone;
}

/** Every list that a view has must hold for a query; a list holds when one of its items does. */
function viewOf(view: ViewSettings | undefined): Server['views'] {
  if (view === undefined) return () => true;
  const ranges = view.clients.map(parseCidr).filter((range) => range !== undefined);
  const names = view.names.map((text) => new RegExp(text, 'i'));
  const types = new Set(view.types.map(typeNumber));
  return ({ key, type, client }) =>
    (view.clients.length === 0 || ranges.some((range) => cidrContains(range, client.address()))) &&
    (names.length === 0 || names.some((name) => name.test(formatName(key)))) &&
    (types.size === 0 || types.has(type));
}

/** A server with the zone of it that a query is in. */
export interface ServedZone {
  readonly zone: Name;
  readonly server: Server;
}

/** Finds the server with the longest zone that holds a query's name, in whose view the query is; undefined when none does. */
export function serverFinder(servers: readonly Server[]): (query: Query) => ServedZone | undefined {
  const entries = servers
    .flatMap((server) => server.zones.map((zone) => ({ zone, server })))
    .toSorted((a, b) => b.zone.length - a.zone.length);
  return (query) => {
    for (const entry of entries) if (isWithin(query.key, entry.zone) && entry.server.views(query)) return entry;
    return undefined;
  };
}
