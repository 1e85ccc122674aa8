import type { Service } from '../../api/core/service.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { EnvVarSource } from '../../api/core/pod/container-env.ts';
import { ConfigError } from './config-error.ts';
import type { Place } from './downward.ts';
import { podField, resourceField } from './downward.ts';
import { expandReferences } from './expand.ts';
import { serviceLinks } from './service-links.ts';
import type { ConfigSources } from './sources.ts';
import { configMapData, secretData } from './sources.ts';

/** What a container's environment is made of. */
export interface EnvInputs {
  readonly pod: Pod;
  readonly container: Container;
  readonly services: readonly Service[];
  readonly sources: ConfigSources;
  readonly place: Place;
  /** What every container has before anything else: PATH, HOSTNAME. */
  readonly base: ReadonlyMap<string, string>;
}

/**
 * The environment of a container. Later ones win: base, Services, `envFrom` in order, `env` in order; `env` values may
 * refer to everything before them by `$(NAME)`. Throws `ConfigError` when something it needs is missing.
 */
export function containerEnv(inputs: EnvInputs): ReadonlyMap<string, string> {
  const { pod, container } = inputs;
  const namespace = pod.metadata.namespace ?? '';
  const links = serviceLinks(inputs.services, namespace, pod.spec.enableServiceLinks !== false);
  const values = new Map([...inputs.base, ...links]);
  const result = new Map(values);
  for (const [name, value] of fromObjects(inputs, namespace)) {
    values.set(name, value);
    result.set(name, value);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const text =
      valueFrom === undefined ? expandReferences(value ?? '', values) : fromSource(inputs, namespace, valueFrom);
    if (text === undefined) continue;
    values.set(name, text);
    result.set(name, text);
  }
  return result;
}

function* fromObjects({ container, sources }: EnvInputs, namespace: string): Generator<[string, string]> {
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data =
      configMapRef === undefined
        ? secretData(sources, namespace, secretRef?.name ?? '', secretRef?.optional === true)
        : configMapData(sources, namespace, configMapRef.name ?? '', configMapRef.optional === true);
    for (const [key, bytes] of data ?? []) yield [prefix + key, bytes.toString()];
  }
}

function fromSource(inputs: EnvInputs, namespace: string, source: EnvVarSource): string | undefined {
  const { pod, container, sources, place } = inputs;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  if (fieldRef !== undefined) return podField(pod, fieldRef.fieldPath, place);
  if (resourceFieldRef !== undefined) return resourceField(pod, container, resourceFieldRef, place);
  if (configMapKeyRef !== undefined) {
    const { name = '', key, optional = false } = configMapKeyRef;
    const where = `ConfigMap ${namespace}/${name}`;
    return valueOf(configMapData(sources, namespace, name, optional), key, optional, where);
  }
  if (secretKeyRef !== undefined) {
    const { name = '', key, optional = false } = secretKeyRef;
    return valueOf(secretData(sources, namespace, name, optional), key, optional, `Secret ${namespace}/${name}`);
  }
  throw new ConfigError('this source of an environment variable is not supported');
}

function valueOf(
  data: ReadonlyMap<string, Buffer> | undefined,
  key: string,
  isOptional: boolean,
  where: string,
): string | undefined {
  const value = data?.get(key);
  if (value === undefined && !isOptional) throw new ConfigError(`couldn't find key ${key} in ${where}`);
  return value?.toString();
}
