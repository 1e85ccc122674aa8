import { buildReply, readReply } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { ServerSettings, VisibilityRule } from '../settings/settings.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { isWithin, labelsOf, nameKey, parseKey, readName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { rcodes, typeNumbers } from '../wire/types.ts';
import { mapAnswer } from './answers.ts';
import type { ClusterParts, HandlerMaker } from './handler.ts';

const { CNAME, PTR } = typeNumbers;

/**
 * Hides the names of some namespaces from others, as if they did not exist; also at the end of an alias and behind an
 * address. It stands behind rewriting and before everything that answers or was kept.
 */
export const hideNamespaces: HandlerMaker = (settings, { clientPods, cluster }) => {
  const { visibility } = settings;
  if (visibility.length === 0 || settings.cluster === undefined || cluster === undefined) return undefined;
  const namespaceOf = namespaceReader(settings);
  return {
    name: 'visibility',
    around(query, next) {
      const asker = clientPods?.at(query.client.address())?.namespace;
      const isHiddenName = (key: Name): boolean => {
        const namespace = namespaceOf(key);
        return namespace !== undefined && isHidden(visibility, asker, namespace);
      };
      if (isHiddenName(query.key)) return deny(query, [], cluster);
      return mapAnswer(next(query), (reply) => (mayLead(reply) ? cut(query, reply, isHiddenName, cluster) : reply));
    },
  };
};

type NameSettings = Pick<ServerSettings, 'visibility' | 'cluster' | 'external'>;

/** Why a name is hidden from an asker, for people; undefined when it is not. */
export function whyHidden(settings: NameSettings, key: Name, asker: string | undefined): string | undefined {
  const namespace = namespaceReader(settings)(key);
  if (namespace === undefined || !isHidden(settings.visibility, asker, namespace)) return undefined;
  const from = asker === undefined ? 'those whose namespace is not known' : `Namespace ${asker}`;
  return `the names of Namespace ${namespace} are hidden from ${from}`;
}

/**
 * Whether the names of a namespace are hidden from an asker. The first rule that fits counts; none shows. A namespace sees
 * itself. An asker that is not known for certain (`undefined`) counts as one of those that names are hidden from.
 */
function isHidden(rules: readonly VisibilityRule[], asker: string | undefined, namespace: string): boolean {
  if (asker === namespace) return false;
  const rule = rules.find(({ action, from, to }) => {
    const isFrom = asker === undefined ? action === 'hide' || from.length === 0 : isAmong(from, asker);
    return isFrom && isAmong(to, namespace);
  });
  return rule?.action === 'hide';
}

function isAmong(names: readonly string[], name: string): boolean {
  return names.length === 0 || names.includes(name);
}

/** Reads the namespace in a name: `<…>.<ns>.svc.<zone>`, `<…>.<ns>.pod.<zone>`, `<…>.<ns>.<outside zone>`. */
function namespaceReader({ cluster, external }: NameSettings): (key: Name) => string | undefined {
  const namesOf = (zones: readonly string[]): Name[] => zones.map((zone) => parseKey(zone) ?? '\0');
  const zones = cluster === undefined ? [] : namesOf([cluster.zone, ...cluster.multicluster]);
  const outside = namesOf(external?.zones ?? []);
  const before = (key: Name, zone: Name): string[] => labelsOf(`${key.slice(0, key.length - zone.length)}\0`);
  return (key) => {
    const zone = zones.find((each) => isWithin(key, each));
    if (zone !== undefined) {
      const labels = before(key, zone);
      return labels.at(-1) === 'svc' || labels.at(-1) === 'pod' ? labels.at(-2) : undefined;
    }
    const other = outside.find((each) => isWithin(key, each));
    return other === undefined ? undefined : before(key, other).at(-1);
  };
}

/** Whether an answer may lead to another name than was asked for. Its first record is mostly named by a pointer to that. */
function mayLead({ answers, body: [first = 0, , high = 0, low = 0] }: Reply): boolean {
  if (answers === 0) return false;
  const type = (high << 8) | low;
  return first < 0xc0 || type === CNAME || type === PTR;
}

/** Leaves out of an answer what it may not say. An alias stays: who owns it may know what is written in it. */
function cut(query: Query, reply: Reply, isHiddenName: (key: Name) => boolean, names: ClusterParts): Reply {
  const parts = readReply(query, reply);
  const isHiddenTarget = ({ type, rdata }: ResourceRecord): boolean => {
    const target = type === CNAME || type === PTR ? readName(Buffer.from(rdata), 0)?.name : undefined;
    return target !== undefined && isHiddenName(nameKey(target));
  };
  const at = parts.answers.findIndex(isHiddenTarget);
  if (at < 0) return reply;
  if (parts.answers[at]?.type === CNAME) return deny(query, parts.answers.slice(0, at + 1), names);
  const answers = parts.answers.filter((record) => !isHiddenTarget(record));
  return answers.length === 0 ? deny(query, [], names) : buildReply(query, { ...parts, answers, owner: undefined });
}

/** Says that a name does not exist, as the cluster itself would. */
function deny(query: Query, answers: readonly ResourceRecord[], { records, negatives }: ClusterParts): Reply {
  const zone = records.zones.find(({ name }) => isWithin(query.key, name));
  if (zone !== undefined && answers.length === 0) return negatives.get(query, zone, rcodes.NXDOMAIN);
  return buildReply(query, { rcode: rcodes.NXDOMAIN, answers, authorities: zone && [records.soa(zone)] });
}
