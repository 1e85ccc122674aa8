import type { Pod } from '../../api/core/pod.ts';
import type { Volume } from '../../api/core/pod/volumes.ts';
import type { DownwardAPIVolumeFile, KeyToPath, VolumeProjection } from '../../api/core/pod/projected-volumes.ts';
import { ConfigError } from './config-error.ts';
import type { Place } from './downward.ts';
import { podField, resourceField } from './downward.ts';
import type { ConfigSources } from './sources.ts';
import { configMapData, secretData } from './sources.ts';

/** A file of a volume; `path` is relative and stays inside. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** A service account token that a projected volume asks for. */
export interface TokenRequest {
  readonly path: string;
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
  readonly mode: number;
}

/** What a volume is on this node. */
export type VolumePlan =
  | { readonly type: 'emptyDir'; readonly inMemory: boolean; readonly sizeLimit: string | undefined }
  | { readonly type: 'hostPath'; readonly path: string; readonly check: string }
  | { readonly type: 'files'; readonly files: readonly VolumeFile[]; readonly tokens: readonly TokenRequest[] };

export interface VolumeInputs {
  readonly pod: Pod;
  readonly sources: ConfigSources;
  readonly place: Place;
}

const defaultMode = 0o644;

/** Plans a volume. Throws `ConfigError` when what it needs is missing, or the type of volume is not supported here. */
export function planVolume(volume: Volume, inputs: VolumeInputs): VolumePlan {
  const { emptyDir, hostPath, configMap, secret, downwardAPI, projected } = volume;
  if (emptyDir !== undefined) {
    return { type: 'emptyDir', inMemory: emptyDir.medium === 'Memory', sizeLimit: emptyDir.sizeLimit };
  }
  if (hostPath !== undefined) return { type: 'hostPath', path: hostPath.path, check: hostPath.type ?? '' };
  const files = (found: readonly VolumeFile[], tokens: readonly TokenRequest[] = []): VolumePlan => ({
    type: 'files',
    files: found,
    tokens,
  });
  if (configMap !== undefined) return files(project({ configMap }, configMap.defaultMode ?? defaultMode, inputs));
  if (secret !== undefined) {
    const { secretName: name, items, optional } = secret;
    return files(project({ secret: { name, items, optional } }, secret.defaultMode ?? defaultMode, inputs));
  }
  if (downwardAPI !== undefined) return files(project({ downwardAPI }, downwardAPI.defaultMode ?? defaultMode, inputs));
  if (projected !== undefined) {
    const mode = projected.defaultMode ?? defaultMode;
    const parts = projected.sources ?? [];
    return files(
      parts.flatMap((part) => project(part, mode, inputs)),
      parts.flatMap((part) => tokensOf(part, mode)),
    );
  }
  const type = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  throw new ConfigError(`volume "${volume.name}" is of type ${type}, which this node cannot provide`);
}

function project(part: VolumeProjection, mode: number, { pod, sources, place }: VolumeInputs): readonly VolumeFile[] {
  const namespace = pod.metadata.namespace ?? '';
  const { configMap, secret, downwardAPI } = part;
  if (configMap !== undefined) {
    const { name = '', items, optional = false } = configMap;
    return pick(configMapData(sources, namespace, name, optional), items, mode, optional, `configmap "${name}"`);
  }
  if (secret !== undefined) {
    const { name = '', items, optional = false } = secret;
    return pick(secretData(sources, namespace, name, optional), items, mode, optional, `secret "${name}"`);
  }
  return (downwardAPI?.items ?? []).map((item) => downwardFile(item, mode, pod, place));
}

function pick(
  data: ReadonlyMap<string, Buffer> | undefined,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  isOptional: boolean,
  what: string,
): readonly VolumeFile[] {
  if (data === undefined) return [];
  if (items === undefined || items.length === 0) {
    return [...data].map(([key, content]) => ({ path: safePath(key), content, mode }));
  }
  return items.flatMap((item) => {
    const content = data.get(item.key);
    if (content !== undefined) return [{ path: safePath(item.path), content, mode: item.mode ?? mode }];
    if (isOptional) return [];
    throw new ConfigError(`${what} references non-existent config key: ${item.key}`);
  });
}

function downwardFile(item: DownwardAPIVolumeFile, mode: number, pod: Pod, place: Place): VolumeFile {
  const text =
    item.fieldRef === undefined
      ? resourceField(pod, undefined, item.resourceFieldRef ?? { resource: '' }, place)
      : podField(pod, item.fieldRef.fieldPath, place);
  return { path: safePath(item.path), content: Buffer.from(text), mode: item.mode ?? mode };
}

function tokensOf({ serviceAccountToken }: VolumeProjection, mode: number): readonly TokenRequest[] {
  if (serviceAccountToken === undefined) return [];
  const { path, audience, expirationSeconds = 3600 } = serviceAccountToken;
  return [{ path: safePath(path), audience, expirationSeconds, mode }];
}

function safePath(path: string): string {
  if (path.startsWith('/') || path.split('/').includes('..')) throw new ConfigError(`path "${path}" leaves the volume`);
  return path;
}
