import type { ConfigMap } from '../../api/core/config-map.ts';
import type { Namespace } from '../../api/core/namespace.ts';
import type { ServiceAccount } from '../../api/core/service-account.ts';

export const defaultAccount = 'default';
export const rootCaName = 'kube-root-ca.crt';
const descriptionAnnotation = 'kubernetes.io/description';
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal ' +
  'service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

export interface AccountInput {
  readonly namespace: Namespace;
  readonly hasAccount: boolean;
  /** The ConfigMap `kube-root-ca.crt` of the namespace, when it is there. */
  readonly rootCa: ConfigMap | undefined;
  /** What it should hold; undefined when there is nothing to hand out. */
  readonly certificate: string | undefined;
}

export interface AccountPlan {
  readonly account: ServiceAccount | undefined;
  readonly createRootCa: ConfigMap | undefined;
  readonly updateRootCa: ConfigMap | undefined;
}

/** What every namespace has to have: an account for its Pods, and the certificate to know the API server by. */
export function planAccounts({ namespace, hasAccount, rootCa, certificate }: AccountInput): AccountPlan {
  const name = namespace.metadata.name ?? '';
  const isLeaving = namespace.metadata.deletionTimestamp !== undefined;
  const account = hasAccount || isLeaving ? undefined : { metadata: { name: defaultAccount, namespace: name } };
  const nothing = { account, createRootCa: undefined, updateRootCa: undefined };
  if (certificate === undefined || isLeaving || rootCa?.data?.['ca.crt'] === certificate) return nothing;
  const data = { 'ca.crt': certificate };
  if (rootCa !== undefined) return { ...nothing, updateRootCa: { ...rootCa, data } };
  const annotations = { [descriptionAnnotation]: description };
  return { ...nothing, createRootCa: { metadata: { name: rootCaName, namespace: name, annotations }, data } };
}
