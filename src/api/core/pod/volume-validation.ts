import type { Issues } from '../../issues.ts';
import { dnsLabel } from '../../names.ts';
import { omit } from '../../objects.ts';
import type { Volume } from './volumes.ts';

/** The rules of volumes. Only what names other objects or paths is looked into; the rest is kept as data. */

function checkSource(issues: Issues, path: string, volume: Volume): void {
  const { secret, configMap, hostPath, persistentVolumeClaim, projected } = volume;
  if (secret !== undefined && (secret.secretName ?? '') === '') issues.required(`${path}.secret.secretName`);
  if (configMap !== undefined && (configMap.name ?? '') === '') issues.required(`${path}.configMap.name`);
  if (hostPath !== undefined) checkHostPath(issues, `${path}.hostPath.path`, hostPath.path ?? '');
  if (persistentVolumeClaim !== undefined && (persistentVolumeClaim.claimName ?? '') === '') {
    issues.required(`${path}.persistentVolumeClaim.claimName`);
  }
  for (const [index, source] of (projected?.sources ?? []).entries()) {
    const where = `${path}.projected.sources[${index}]`;
    if (Object.keys(source).length > 1) issues.forbidden(where, 'may not specify more than 1 volume type per source');
  }
}

function checkHostPath(issues: Issues, path: string, hostPath: string): void {
  if (hostPath === '') issues.required(path);
  else if (hostPath.split('/').includes('..')) issues.invalid(path, hostPath, "must not contain '..'");
}

/** Checks all volumes of a Pod and answers their names. */
export function checkVolumes(issues: Issues, path: string, volumes: readonly Volume[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const where = `${path}[${index}]`;
    const name = volume.name ?? '';
    if (name === '') issues.required(`${where}.name`);
    else issues.invalidAll(`${where}.name`, name, dnsLabel(name));
    if (names.has(name)) issues.duplicate(`${where}.name`, name);
    names.add(name);
    const sources = Object.keys(omit(volume, 'name'));
    if (sources.length === 0) issues.required(where, 'must specify a volume type');
    for (const source of sources.slice(1)) {
      issues.forbidden(`${where}.${source}`, 'may not specify more than 1 volume type');
    }
    checkSource(issues, where, volume);
  }
  return names;
}
