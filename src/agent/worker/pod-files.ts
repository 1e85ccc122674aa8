import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { quantityInNano } from '../../api/quantity.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { Volume } from '../../api/core/pod/volumes.ts';
import { mount, unmount } from '../../linux/mounts.ts';
import { ConfigError } from '../environment/config-error.ts';
import type { Place } from '../environment/downward.ts';
import { expandReferences } from '../environment/expand.ts';
import { hostNetworkHostsFile, podHostsFile } from '../environment/hosts-file.ts';
import { formatResolvConf, podResolvConf } from '../environment/resolv-conf.ts';
import type { VolumeFile, VolumePlan } from '../environment/volume-files.ts';
import { planVolume } from '../environment/volume-files.ts';
import type { BindMount, SandboxSpec } from '../runtime/runtime.ts';
import type { Surroundings } from './surroundings.ts';

/** Where a volume's content is, and when its tokens have to be renewed (Unix ms). */
export interface PreparedVolumes {
  readonly renewMs: number | undefined;
}

/**
 * Makes the content of all volumes of a Pod, or brings it up to date. Throws `ConfigError` when something is missing or
 * a volume's type is not supported.
 */
export async function prepareVolumes(around: Surroundings, pod: Pod, place: Place): Promise<PreparedVolumes> {
  let renewMs: number | undefined;
  for (const volume of pod.spec.volumes ?? []) {
    const plan = planVolume(volume, { pod, sources: around.sources, place });
    const renewal = await prepareVolume(around, pod, volume, plan);
    if (renewal !== undefined) renewMs = Math.min(renewal, renewMs ?? Number.POSITIVE_INFINITY);
  }
  return { renewMs };
}

async function prepareVolume(
  around: Surroundings,
  pod: Pod,
  volume: Volume,
  plan: VolumePlan,
): Promise<number | undefined> {
  const folder = volumeFolder(around, pod, volume);
  const group = pod.spec.securityContext?.fsGroup;
  if (plan.type === 'hostPath') return void checkHostPath(plan.path, plan.check);
  if (plan.type === 'emptyDir') {
    if (existsSync(folder)) return undefined;
    mkdirSync(folder, { recursive: true });
    if (plan.inMemory && around.runtime.hasMounts) mountMemory(folder, plan.sizeLimit);
    chmodSync(folder, 0o777);
    if (group !== undefined) giveTo(folder, group, 0o2777);
    return undefined;
  }
  const tokens: VolumeFile[] = [];
  let renewMs: number | undefined;
  const beganMs = around.now();
  for (const request of plan.tokens) {
    const token = await around.token(pod, request);
    tokens.push({ path: request.path, content: Buffer.from(token.text), mode: request.mode });
    const due = beganMs + (token.expiresMs - beganMs) * 0.8;
    renewMs = Math.min(due, renewMs ?? Number.POSITIVE_INFINITY);
  }
  writeFiles(folder, [...plan.files, ...tokens], group);
  return renewMs;
}

function mountMemory(folder: string, sizeLimit: string | undefined): void {
  const bytes = sizeLimit === undefined ? undefined : (quantityInNano(sizeLimit) ?? 0n) / 1_000_000_000n;
  mount({ source: 'tmpfs', target: folder, type: 'tmpfs', data: bytes === undefined ? 'mode=0777' : `size=${bytes}` });
}

/** Takes the mounts of a Pod's volumes away. */
export function releaseVolumes(around: Surroundings, pod: Pod): void {
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.emptyDir?.medium !== 'Memory' || !around.runtime.hasMounts) continue;
    try {
      unmount(volumeFolder(around, pod, volume));
    } catch {
      // It was never mounted.
    }
  }
}

function volumeFolder({ layout }: Surroundings, pod: Pod, volume: Volume): string {
  return join(layout.pod(pod.metadata.uid ?? ''), 'volumes', volume.name);
}

function checkHostPath(path: string, check: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined && check === 'DirectoryOrCreate')
    return void mkdirSync(path, { recursive: true, mode: 0o755 });
  if (found === undefined && check === 'FileOrCreate') return writeFileSync(path, '', { mode: 0o644 });
  const isRight =
    found !== undefined &&
    (check === '' ||
      (check.startsWith('Directory') && found.isDirectory()) ||
      (check.startsWith('File') && found.isFile()) ||
      (check === 'Socket' && found.isSocket()) ||
      (check === 'CharDevice' && found.isCharacterDevice()) ||
      (check === 'BlockDevice' && found.isBlockDevice()));
  if (!isRight)
    throw new ConfigError(
      `hostPath type check failed: ${path} is not a ${check === '' ? 'file or folder of this node' : check}`,
    );
}

/** Writes the files of a volume, each whole or not at all, and removes those that are no longer in it. */
function writeFiles(folder: string, files: readonly VolumeFile[], group: number | undefined): void {
  mkdirSync(folder, { recursive: true });
  for (const { path, content, mode } of files) {
    const target = join(folder, path);
    if (existsSync(target) && readFileSync(target).equals(content)) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(`${target}..new`, content, { mode });
    chmodSync(`${target}..new`, mode);
    if (group !== undefined) giveTo(`${target}..new`, group, mode | 0o040);
    renameSync(`${target}..new`, target);
  }
  const kept = new Set(files.map(({ path }) => path.split('/')[0]));
  for (const name of readdirSync(folder).filter((each) => !kept.has(each))) unlinkSync(join(folder, name));
}

function giveTo(path: string, group: number, mode: number): void {
  chownSync(path, -1, group);
  chmodSync(path, mode);
}

/** The Pod's host name: what it asks for, else its name; the node's in the host's network. */
export function hostnameOf(pod: Pod, nodeName: string): string {
  if (pod.spec.hostNetwork === true) return nodeName;
  return (pod.spec.hostname ?? pod.metadata.name ?? '').slice(0, 63);
}

/** Writes the Pod's own /etc/hosts and /etc/resolv.conf. */
export function writePodEtc(around: Surroundings, pod: Pod, sandbox: SandboxSpec): void {
  const folder = join(around.layout.pod(sandbox.podUid), 'etc');
  mkdirSync(folder, { recursive: true });
  const namespace = pod.metadata.namespace ?? '';
  const { subdomain, hostAliases = [] } = pod.spec;
  const fullName = subdomain ? `${sandbox.hostname}.${subdomain}.${namespace}.svc.${around.dns.domain}` : undefined;
  const hosts = sandbox.isHostNetwork
    ? hostNetworkHostsFile(readFileSync('/etc/hosts', 'utf8'), hostAliases)
    : podHostsFile({ podIp: sandbox.ip, hostname: sandbox.hostname, fullName, aliases: hostAliases });
  writeFileSync(join(folder, 'hosts'), hosts);
  const resolver = podResolvConf(pod.spec, namespace, around.dns, around.hostResolvConf());
  writeFileSync(join(folder, 'resolv.conf'), formatResolvConf(resolver));
}

/** What a container sees where. Throws `ConfigError` for a mount of a volume that the Pod does not have. */
export function containerMounts(
  around: Surroundings,
  pod: Pod,
  container: Container,
  env: ReadonlyMap<string, string>,
): readonly BindMount[] {
  const folder = join(around.layout.pod(pod.metadata.uid ?? ''), 'etc');
  const etc = ['hosts', 'resolv.conf'].map((name) => ({
    source: join(folder, name),
    target: `/etc/${name}`,
    isReadOnly: false,
  }));
  const mounts = (container.volumeMounts ?? []).map((each) => {
    const volume = pod.spec.volumes?.find(({ name }) => name === each.name);
    if (volume === undefined) throw new ConfigError(`no volume "${each.name}" for mount ${each.mountPath}`);
    const base = volume.hostPath?.path ?? volumeFolder(around, pod, volume);
    const part = each.subPathExpr === undefined ? each.subPath : expandReferences(each.subPathExpr, env);
    const isConfig = volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI;
    return {
      source: part ? subPathOf(base, part) : base,
      target: each.mountPath,
      isReadOnly: each.readOnly === true || isConfig !== undefined,
    };
  });
  const ownTargets = new Set(mounts.map(({ target }) => target));
  return [...etc.filter(({ target }) => !ownTargets.has(target)), ...mounts];
}

function subPathOf(base: string, part: string): string {
  if (part.split('/').includes('..')) throw new ConfigError(`subPath "${part}" leaves the volume`);
  const path = join(base, part);
  if (!existsSync(path)) mkdirSync(path, { recursive: true });
  return path;
}
