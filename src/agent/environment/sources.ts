import type { ConfigMap } from '../../api/core/config-map.ts';
import type { Secret } from '../../api/core/secret.ts';
import { ConfigError } from './config-error.ts';

/** Where configuration comes from: the caches of the agent. */
export interface ConfigSources {
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

/** Keys and bytes of a ConfigMap; undefined when absent and optional. Throws `ConfigError` when it is absent. */
export function configMapData(
  sources: ConfigSources,
  namespace: string,
  name: string,
  isOptional: boolean,
): ReadonlyMap<string, Buffer> | undefined {
  const found = sources.configMap(namespace, name);
  if (found === undefined) return missing(isOptional, `configmap "${name}" not found`);
  const text = Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  const binary = Object.entries(found.binaryData ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'base64')] as const,
  );
  return new Map([...text, ...binary]);
}

/** Keys and bytes of a Secret; as `configMapData`. */
export function secretData(
  sources: ConfigSources,
  namespace: string,
  name: string,
  isOptional: boolean,
): ReadonlyMap<string, Buffer> | undefined {
  const found = sources.secret(namespace, name);
  if (found === undefined) return missing(isOptional, `secret "${name}" not found`);
  return new Map(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

function missing(isOptional: boolean, message: string): undefined {
  if (!isOptional) throw new ConfigError(message);
  return undefined;
}
