import { Pod } from '../../api/core/pod.ts';
import { ServiceAccount } from '../../api/core/service-account.ts';
import { forbidden } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { objectAs } from '../cache/item.ts';
import type { AdmissionRule } from './admission.ts';
import { unchanged } from './admission.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
const tokenSeconds = 3607;
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

type PodSpec = NonNullable<Pod['spec']>;
type Container = NonNullable<PodSpec['containers']>[number];

/**
 * Gives a new Pod its service account and, unless it or the account says otherwise, the projected volume with token, CA and
 * namespace. The account `default` may still be on its way from its controller; any other has to be there.
 */
export function serviceAccountRule(accounts: ResourceCache): AdmissionRule {
  return {
    name: 'ServiceAccount',
    applies: ({ operation, kind, subresource }) =>
      operation === 'create' && kind.kind === Pod.kind && subresource === undefined,
    admit({ kind, namespace = '', name }, object) {
      const pod = asPod(object);
      const spec = pod.spec;
      if (spec === undefined) return unchanged(object);
      const account = spec.serviceAccountName || spec.serviceAccount || 'default';
      const item = accounts.items.get(`${accounts.prefix}${namespace}/${account}`);
      if (item === undefined && account !== 'default') {
        throw forbidden(
          kind,
          name,
          `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
        );
      }
      const found = item && objectAs(ServiceAccount, item);
      const wantsToken = spec.automountServiceAccountToken ?? found?.automountServiceAccountToken ?? true;
      const named: PodSpec = { ...spec, serviceAccountName: account, serviceAccount: account };
      return unchanged({ ...pod, spec: wantsToken ? withToken(named) : named } as ApiObject);
    },
  };
}

function asPod(object: ApiObject): Pod {
  return objectAs(Pod, { key: object.metadata.name ?? '', object });
}

function withToken(spec: PodSpec): PodSpec {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  if (containers.every(hasMount)) return spec;
  const existing = (spec.volumes ?? []).find((volume) => volume.name.startsWith(volumePrefix));
  const name = existing?.name ?? `${volumePrefix}${randomSuffix()}`;
  const mounted = (container: Container): Container =>
    hasMount(container)
      ? container
      : { ...container, volumeMounts: [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }] };
  return {
    ...spec,
    containers: (spec.containers ?? []).map(mounted),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(mounted) }),
    volumes: existing ? spec.volumes : [...(spec.volumes ?? []), tokenVolume(name)],
  };
}

function hasMount(container: Container): boolean {
  return (container.volumeMounts ?? []).some((mount) => mount.mountPath === mountPath);
}

function tokenVolume(name: string): NonNullable<PodSpec['volumes']>[number] {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}

function randomSuffix(): string {
  return Array.from({ length: 5 }, () => alphabet[Math.floor(Math.random() * alphabet.length)]).join('');
}
