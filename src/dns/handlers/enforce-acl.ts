import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import { buildReply, codeReply } from '../reply.ts';
import type { AclRule } from '../settings/settings.ts';
import { isWithin, parseKey } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { extendedErrors, rcodes, typeNumber, typeNumbers } from '../wire/types.ts';
import type { HandlerMaker } from './handler.ts';

/** Lets in whom the rules let in. It stands behind rewriting and before everything that answers. */
export const enforceAcl: HandlerMaker = ({ acl }) => {
  if (acl.length === 0) return undefined;
  const rules = acl.map(ruleOf);
  return {
    name: 'acl',
    around(query, next) {
      const action = rules.find((rule) => rule.fits(query))?.action ?? 'allow';
      if (action === 'allow') return next(query);
      if (action === 'drop') return { ...codeReply(rcodes.REFUSED), isSilent: true };
      const error = { code: action === 'block' ? extendedErrors.blocked : extendedErrors.filtered, text: '' };
      if (action === 'block') return codeReply(rcodes.REFUSED, error);
      return buildReply(query, { authoritative: false, error });
    },
  };
};

interface Rule {
  readonly action: AclRule['action'];
  readonly fits: (query: Query) => boolean;
}

function ruleOf({ action, types, clients, zones }: AclRule): Rule {
  const numbers = new Set(types.map(typeNumber));
  const isAnyType = types.length === 0 || numbers.has(typeNumbers.ANY);
  const ranges = clients.map(parseCidr).filter((cidr) => cidr !== undefined);
  const names = zones.map((zone) => parseKey(zone) ?? '\0');
  return {
    action,
    fits: ({ key, type, client }) =>
      (isAnyType || numbers.has(type)) &&
      (names.length === 0 || names.some((zone) => isWithin(key, zone))) &&
      (clients.length === 0 || ranges.some((range) => cidrContains(range, client.address()))),
  };
}
