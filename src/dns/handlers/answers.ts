import { buildReply, readReply } from '../reply.ts';
import type { Reply, ReplyParts } from '../reply.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { nameKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { rcodes, typeNumbers } from '../wire/types.ts';
import type { Answer } from './handler.ts';

const { CNAME } = typeNumbers;

/** Longest chain of aliases that is followed over several sources. */
const maxAliases = 8;

/** What `change` makes of an answer, now or later. */
export function mapAnswer(answer: Answer, change: (reply: Reply) => Reply): Answer {
  return answer instanceof Promise ? answer.then(change) : change(answer);
}

/** The records of an answer changed; what it owes to who made it (staleness, errors) stays. */
export function mapParts(query: Query, reply: Reply, change: (parts: ReplyParts) => ReplyParts): Reply {
  const { owner: _, ...parts } = readReply(query, reply);
  return { ...buildReply(query, change(parts)), isCached: reply.isCached };
}

/** The same asker's question for another name or type. */
export function askInstead(
  query: Query,
  { name = query.name, type = query.type }: { name?: Name; type?: number },
): Query {
  return { ...query, name, key: nameKey(name), type, depth: query.depth + 1 };
}

/** Answers with an alias and what its target has; the code is the target's (RFC 6604 3). */
export function followAlias(
  query: Query,
  alias: readonly ResourceRecord[],
  target: Name,
  again: (query: Query) => Answer,
): Answer {
  if (query.depth >= maxAliases) return buildReply(query, { rcode: rcodes.SERVFAIL, answers: alias });
  const next = askInstead(query, { name: target });
  return mapAnswer(again(next), (reply) => {
    // Nobody here knows the target: the asker may look for it, but to one who wants all of it the alias alone would look like NODATA.
    if (reply.rcode === rcodes.REFUSED) {
      return buildReply(query, { rcode: query.recursionDesired ? rcodes.SERVFAIL : rcodes.NOERROR, answers: alias });
    }
    const parts = readReply(next, reply);
    // Where aliases lead back here, each is said once.
    const said = new Set(alias.filter(({ type }) => type === CNAME).map(({ name }) => nameKey(name)));
    const found = parts.answers.filter(({ name }) => !said.has(nameKey(name)));
    return buildReply(query, { ...parts, authoritative: true, owner: undefined, answers: [...alias, ...found] });
  });
}

/** Whether a reply sends the asker to other servers: then authority and additional records are its point. */
export function isReferral({ answers, authorities, authoritative, rcode }: Reply): boolean {
  return answers === 0 && authorities > 0 && !authoritative && rcode === rcodes.NOERROR;
}
