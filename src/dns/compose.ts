import type { Answer, Filter, Handler, Source } from './handlers/handler.ts';
import { codeReply } from './reply.ts';
import type { Query } from './wire/query.ts';
import { rcodes } from './wire/types.ts';

/** Handlers as one function. */
export interface Composed {
  /** Names by the numbers that `answered` gets; the last is `refused`, for a query that no handler took. */
  readonly names: readonly string[];
  readonly ask: (query: Query) => Answer;
}

/**
 * Makes one function of a list of handlers, once; a query makes no function. `answered` is told which handler a query
 * ended at. Filters must come before every source.
 */
export function compose(handlers: readonly Handler[], answered: (handler: number) => void): Composed {
  const names = [...handlers.map((handler) => handler.name), 'refused'];
  const firstSource = handlers.findIndex((handler) => 'answer' in handler);
  const count = firstSource < 0 ? handlers.length : firstSource;
  const sources = handlers.slice(count).filter((handler): handler is Source => 'answer' in handler);
  if (sources.length !== handlers.length - count) throw new Error('a filter stands behind a source');
  const askSources = (query: Query): Answer => {
    for (let index = 0; index < sources.length; index += 1) {
      const reply = sources[index]?.answer(query);
      if (reply === undefined) continue;
      answered(count + index);
      return reply;
    }
    answered(handlers.length);
    return codeReply(rcodes.REFUSED);
  };
  const filters = handlers.slice(0, count).filter((handler): handler is Filter => 'around' in handler);
  const ask = filters.reduceRight<(query: Query) => Answer>(
    (next, filter, index) => (query) => {
      answered(index);
      return filter.around(query, next);
    },
    askSources,
  );
  return { names, ask };
}
