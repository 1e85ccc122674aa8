import { formatName } from '../wire/names.ts';
import { rcodeName, rcodes, typeName } from '../wire/types.ts';
import type { Reply } from '../reply.ts';
import type { Query } from '../wire/query.ts';
import type { HandlerMaker } from './handler.ts';

/** Logs answers of the classes that were asked for, with who asked and how long it took. */
export const logQueries: HandlerMaker = ({ log }, { logger, now }) => {
  if (log === undefined) return undefined;
  const classes = new Set<string>(log.classes);
  const write = (query: Query, client: string, startMs: number, reply: Reply): void => {
    if (!classes.has('all') && !classes.has(classOf(reply))) return;
    logger.info('query', {
      client,
      transport: query.client.transport,
      name: formatName(query.name),
      type: typeName(query.type),
      rcode: rcodeName(reply.rcode),
      answers: reply.answers,
      tookMs: now() - startMs,
    });
  };
  return {
    name: 'log',
    around(query, next) {
      // Nobody asked for what an alias leads to.
      if (query.depth > 0) return next(query);
      const startMs = now();
      const client = query.client.address();
      const answer = next(query);
      if (answer instanceof Promise) return answer.then((reply) => (write(query, client, startMs, reply), reply));
      write(query, client, startMs, answer);
      return answer;
    },
  };
};

/** A denial is NXDOMAIN or an empty answer. */
function classOf({ rcode, answers, transfer }: Reply): 'success' | 'denial' | 'error' {
  if (rcode === rcodes.NXDOMAIN || (rcode === rcodes.NOERROR && answers === 0 && transfer === undefined))
    return 'denial';
  return rcode === rcodes.NOERROR ? 'success' : 'error';
}
