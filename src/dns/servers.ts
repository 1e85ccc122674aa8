import { chain } from './chain.ts';
import { compose } from './compose.ts';
import type { Answer, ServerParts } from './handlers/handler.ts';
import { createQueryCounts } from './metrics.ts';
import type { Reply } from './reply.ts';
import type { ServerSettings } from './settings/settings.ts';
import { isWithin, parseName } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import type { Query } from './wire/query.ts';

/** One configured server: its zones, and its handlers as one function. */
export interface Server extends Disposable {
  /** Lower case. */
  readonly zones: readonly Name[];
  /** Whether names of others are asked for. */
  readonly hasRecursion: boolean;
  /** Answers and counts. */
  readonly ask: (query: Query) => Answer;
}

/** Makes the handlers of a server. Throws RangeError for a zone that is no name. */
export function createServer(settings: ServerSettings, given: Omit<ServerParts, 'again'>): Server {
  const parts: ServerParts = { ...given, again: (query) => ask(query) };
  const handlers = chain.map((make) => make(settings, parts)).filter((handler) => handler !== undefined);
  let answeredBy = 0;
  const { names, ask } = compose(handlers, (handler) => (answeredBy = handler));
  const counts = createQueryCounts(parts.metrics, names);
  return {
    zones: settings.zones.map(readZone),
    hasRecursion: parts.resolver !== undefined,
    ask(query) {
      const answer = ask(query);
      const handler = answeredBy;
      const { transport } = query.client;
      if (!(answer instanceof Promise)) {
        counts.add(handler, answer.rcode, transport);
        return answer;
      }
      return answer.then((late: Reply) => {
        counts.add(handler, late.rcode, transport);
        return late;
      });
    },
    [Symbol.dispose]: () => counts[Symbol.dispose](),
  };
}

function readZone(text: string): Name {
  const zone = parseName(text.toLowerCase());
  if (zone === undefined) throw new RangeError(`"${text}" is no zone`);
  return zone;
}

/** Finds the server with the longest zone that holds a name; undefined when none does. */
export function serverFinder(servers: readonly Server[]): (key: Name) => Server | undefined {
  const entries = servers
    .flatMap((server) => server.zones.map((zone) => ({ zone, server })))
    .toSorted((a, b) => b.zone.length - a.zone.length);
  return (key) => {
    for (const { zone, server } of entries) if (isWithin(key, zone)) return server;
    return undefined;
  };
}
