/** Who asks, as authentication found out. */
export interface Identity {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const mastersGroup = 'system:masters';
export const authenticatedGroup = 'system:authenticated';
export const unauthenticatedGroup = 'system:unauthenticated';
export const serviceAccountsGroup = 'system:serviceaccounts';

/** A request without credentials. Only health and version are open to it. */
export const anonymous: Identity = { name: 'system:anonymous', groups: [unauthenticatedGroup] };

/** `system:serviceaccount:<namespace>:<name>` → its parts; undefined for anyone else. */
export function parseServiceAccount(userName: string): { namespace: string; name: string } | undefined {
  const parts = userName.split(':');
  const [system, kind, namespace, name] = parts;
  if (parts.length !== 4 || system !== 'system' || kind !== 'serviceaccount' || !namespace || !name) return undefined;
  return { namespace, name };
}

/** The identity of a service account: its name and the groups that follow from it. */
export function serviceAccountIdentity(
  namespace: string,
  name: string,
  uid: string,
  extra?: Identity['extra'],
): Identity {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: [serviceAccountsGroup, `${serviceAccountsGroup}:${namespace}`, authenticatedGroup],
    extra,
  };
}
