import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ManifestObject } from './manifests.ts';
import { typeOfObject } from './resource-types.ts';
import type { ResourceType } from './resource-types.ts';

/** An object of a manifest with the type and namespace that it is written to. */
export interface LocatedObject extends ManifestObject {
  readonly type: ResourceType;
  readonly name: string;
  readonly namespace: string;
}

/** Where the objects go when they name no namespace, and the one that `-n` insists on. */
export interface NamespaceChoice {
  readonly fallback: string;
  readonly required: string | undefined;
}

/** Finds type, name and namespace of a manifest's object. Throws `CommandError` naming file and line. */
export function locate(
  types: readonly ResourceType[],
  manifest: ManifestObject,
  namespaces: NamespaceChoice,
): LocatedObject {
  const { object, place } = manifest;
  const type = typeOfObject(types, object.apiVersion, object.kind);
  if (type === undefined) {
    throw new CommandError(`${place}: the server has no kind ${object.kind} in ${object.apiVersion}`, {
      code: exitCodes.notFound,
      hint: otherVersion(types, object.kind),
    });
  }
  const { name, namespace } = object.metadata;
  if (name === undefined) throw new CommandError(`${place}: metadata.name is missing`);
  const { required, fallback } = namespaces;
  if (type.namespaced && required !== undefined && namespace !== undefined && namespace !== required) {
    throw new CommandError(`${place}: the object is for namespace "${namespace}", the command for "${required}"`, {
      hint: 'leave out -n, or metadata.namespace',
    });
  }
  return { ...manifest, type, name, namespace: namespace ?? fallback };
}

function otherVersion(types: readonly ResourceType[], kind: string): string | undefined {
  const other = types.find((type) => type.kind === kind);
  return other === undefined ? undefined : `${kind} is served as apiVersion: ${other.apiVersion}`;
}
