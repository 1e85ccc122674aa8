import { buildReply, readReply, recordsOf } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { ServerSettings } from '../settings/settings.ts';
import { isWithin, labelsOf, nameFromLabels, parseKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { nameRdata } from '../wire/rdata.ts';
import { rcodes, typeNumbers } from '../wire/types.ts';
import { askInstead } from './answers.ts';
import type { Answer, HandlerMaker } from './handler.ts';

const { A, AAAA, CNAME } = typeNumbers;

/**
 * Goes through a Pod's search list in its place: the first name that the Pod asks for (`www.example.com.shop.svc.…`) is
 * answered with an alias of the one that exists. Only for a Pod that is certain (one Pod with the address, in the namespace
 * that the name holds, with the cluster's search list and no other), and with the same name for A and AAAA. The alias
 * has a TTL of zero, so nobody keeps it: who looks the name up anew gets what is right then. Every name on the way is
 * asked for as if the Pod had: policy and everything else behind see each of them.
 */
export const completeSearch: HandlerMaker = (settings, { clientPods }) => {
  const search = searchOf(settings);
  if (search === undefined || clientPods === undefined) return undefined;
  return {
    name: 'autopath',
    around(query, next) {
      const answer = next(query);
      // What an alias leads to is a whole name already.
      const isWanted =
        query.depth === 0 && (query.type === A || query.type === AAAA) && isWithin(query.key, search.own);
      if (!isWanted || answer instanceof Promise || answer.rcode !== rcodes.NXDOMAIN) return answer;
      const address = query.client.address();
      const pod = clientPods.at(address);
      const names = pod?.hasClusterSearch === true ? namesAfter(search, query.key, pod.namespace) : [];
      if (names.length === 0) return answer;
      // What is asked later must not look into a packet that is gone.
      const client = { ...query.client, address: () => address };
      return complete({ ...query, client }, names, next, answer);
    },
  };
};

/** The search list of Pods behind the domain of their namespace. */
interface Search {
  /** `svc.<zone>`: namespaces are directly below. */
  readonly own: Name;
  /** The names that come next, as labels. */
  readonly others: readonly (readonly string[])[];
}

type SearchSettings = Pick<ServerSettings, 'autopath' | 'cluster'>;

function searchOf({ autopath, cluster }: SearchSettings): Search | undefined {
  if (autopath === undefined || cluster === undefined) return undefined;
  const zone = parseKey(cluster.zone) ?? '\0';
  const own = `\x03svc${zone}`;
  const others = [own, zone, ...autopath.search.map((each) => parseKey(each) ?? '\0'), '\0'];
  return { own, others: others.map(labelsOf) };
}

/** The names that a Pod of a namespace looks up after one, when that is the first of its search list; else none. */
export function namesOnTheWay(settings: SearchSettings, key: Name, namespace: string): readonly Name[] {
  const search = searchOf(settings);
  return search === undefined || !isWithin(key, search.own) ? [] : namesAfter(search, key, namespace);
}

function namesAfter({ own, others }: Search, key: Name, namespace: string): readonly Name[] {
  const short = labelsOf(key).slice(0, -labelsOf(own).length);
  if (short.pop() !== namespace || short.length === 0) return [];
  return others.map((domain) => nameFromLabels([...short, ...domain])).filter((name) => name !== undefined);
}

/** The first of some names that has addresses; else `none`, and the Pod goes on by itself. */
async function complete(
  query: Query,
  names: readonly Name[],
  next: (query: Query) => Answer,
  none: Reply,
): Promise<Reply> {
  for (const name of names) {
    const asked = askInstead(query, { name });
    const reply = await next(asked);
    if (reply.rcode === rcodes.NXDOMAIN) continue;
    // A failure is no answer to which name it is.
    if (reply.rcode !== rcodes.NOERROR) return none;
    if (hasType(asked, reply) || (await hasOtherFamily(asked, next))) return aliasTo(query, asked, reply);
  }
  return none;
}

function hasType(asked: Query, reply: Reply): boolean {
  return reply.answers > 0 && readReply(asked, reply).answers.some(({ type }) => type === asked.type);
}

/** Both families are answered by one name, else a Pod would connect to two different ones. */
async function hasOtherFamily(asked: Query, next: (query: Query) => Answer): Promise<boolean> {
  const other = askInstead(asked, { type: asked.type === A ? AAAA : A });
  return hasType(other, await next(other));
}

function aliasTo(query: Query, asked: Query, reply: Reply): Reply {
  const { answers, authorities, ...rest } = readReply(asked, reply);
  const alias = recordsOf(query.name, CNAME, 0, [nameRdata(asked.name)]);
  return buildReply(query, {
    ...rest,
    answers: [...alias, ...answers],
    authorities,
    additionals: [],
    owner: undefined,
  });
}
