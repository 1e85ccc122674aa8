import type { Condition } from '../../api/meta/condition.ts';
import type { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import { formatTime } from '../../api/times.ts';
import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import { sameJson } from '../../lib/json.ts';
import { clusterRanges } from './cluster-ranges.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';

/** What a ServiceCIDR should become: something else, nothing, or (undefined) what it is. */
export type CidrChange = { readonly object: ServiceCIDR } | 'gone' | undefined;

/**
 * A ServiceCIDR is ready and held by a finalizer while it is wanted; one that is being deleted goes when every address
 * in it is in another ServiceCIDR too, and says that it waits until then (KEP-1880). Pure. `ips` are the addresses that
 * have a record.
 */
export function settleServiceCidr(
  object: ServiceCIDR,
  all: readonly ServiceCIDR[],
  ips: readonly string[],
  nowMs: number,
): CidrChange {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  const isHeld = finalizers.includes(finalizer);
  if (deletionTimestamp === undefined) {
    const held = isHeld ? object : withFinalizers(object, [...finalizers, finalizer]);
    return changed(object, withReady(held, 'True', 'Kubernetes Service CIDR is ready', nowMs));
  }
  if (!isHeld) return undefined;
  if (hasOrphans(object, all, ips)) {
    const message =
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
    return changed(object, withReady(object, 'False', message, nowMs));
  }
  const remaining = finalizers.filter((each) => each !== finalizer);
  return remaining.length === 0 ? 'gone' : { object: withFinalizers(object, remaining) };
}

function hasOrphans(object: ServiceCIDR, all: readonly ServiceCIDR[], ips: readonly string[]): boolean {
  const own = (object.spec.cidrs ?? []).map(parseCidr).filter((range) => range !== undefined);
  const others = clusterRanges(all.filter((each) => each !== object)).ranges;
  return ips.some(
    (ip) => own.some((range) => cidrContains(range, ip)) && !others.some((range) => cidrContains(range, ip)),
  );
}

function changed(old: ServiceCIDR, object: ServiceCIDR): CidrChange {
  return sameJson(old, object) ? undefined : { object };
}

function withFinalizers(object: ServiceCIDR, finalizers: readonly string[]): ServiceCIDR {
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

function withReady(object: ServiceCIDR, status: 'True' | 'False', message: string, nowMs: number): ServiceCIDR {
  const conditions = object.status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === 'Ready');
  if (old?.status === status) return object;
  const reason = status === 'True' ? 'Ready' : 'Terminating';
  const ready: Condition = { type: 'Ready', status, lastTransitionTime: formatTime(nowMs), reason, message };
  return { ...object, status: { ...object.status, conditions: [...conditions.filter((each) => each !== old), ready] } };
}
