import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import type { Operation } from '../../store/store.ts';
import type { Identity } from '../auth/identity.ts';

/** What admission knows about a write. */
export interface AdmissionRequest {
  readonly operation: 'create' | 'update' | 'delete';
  readonly kind: Kind;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly identity: Identity;
  readonly dryRun: boolean;
  /** The stored object; undefined for a create. */
  readonly old: ApiObject | undefined;
}

/** What comes out: the object to go on with, and what has to be committed with it. */
export interface Admitted {
  readonly object: ApiObject;
  /** Further changes of the same commit, such as the IPAddress of a Service. */
  readonly operations: readonly Operation[];
  /** Called when the write did not happen after all (dry run, conflict, refusal), so that reservations are given back. */
  release?(): void;
}

/** A rule about objects on their way in. It may change the object, add to the commit, or throw `ApiError`. */
export interface AdmissionRule {
  readonly name: string;
  applies(request: AdmissionRequest): boolean;
  admit(request: AdmissionRequest, object: ApiObject): Admitted | Promise<Admitted>;
}

/** All rules, in order. */
export type Admission = readonly AdmissionRule[];

/** An outcome without anything to commit besides. */
export function unchanged(object: ApiObject): Admitted {
  return { object, operations: [] };
}

/** Takes an object through every rule that applies. When one refuses, what earlier ones reserved is released. */
export async function admit(admission: Admission, request: AdmissionRequest, object: ApiObject): Promise<Admitted> {
  const releases: (() => void)[] = [];
  const operations: Operation[] = [];
  const release = () => releases.forEach((each) => each());
  let current = object;
  try {
    for (const rule of admission) {
      if (!rule.applies(request)) continue;
      const admitted = await rule.admit(request, current);
      current = admitted.object;
      operations.push(...admitted.operations);
      if (admitted.release !== undefined) releases.push(admitted.release);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { object: current, operations, release };
}
