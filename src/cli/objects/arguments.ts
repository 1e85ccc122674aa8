import { UsageError } from '../command-error.ts';
import { findResourceType } from './resource-types.ts';
import type { ResourceType } from './resource-types.ts';

/** What a user's `TYPE NAME…` or `TYPE/NAME…` arguments ask for: objects by name, or all of a type. */
export interface Target {
  readonly type: ResourceType;
  /** Undefined: every object of the type. */
  readonly name: string | undefined;
}

/**
 * Reads `pods`, `pods,svc`, `pods a b`, `pod/a svc/b`. `all` stands for the types in that category, `events` and
 * the like excepted, as with kubectl. Throws `UsageError` or `CommandError`.
 */
export function readTargets(types: readonly ResourceType[], args: readonly string[]): readonly Target[] {
  const [first, ...names] = args;
  if (first === undefined) throw new UsageError('say what: TYPE, TYPE NAME or TYPE/NAME, for example: pods');
  if (args.some((argument) => argument.includes('/'))) return args.map((argument) => slashTarget(types, argument));
  const wanted = first.split(',').flatMap((word) => typesOf(types, word));
  if (names.length === 0) return wanted.map((type) => ({ type, name: undefined }));
  return wanted.flatMap((type) => names.map((name) => ({ type, name })));
}

function slashTarget(types: readonly ResourceType[], argument: string): Target {
  const [word = '', name = '', more] = argument.split('/');
  if (word === '' || name === '' || more !== undefined) {
    throw new UsageError(`"${argument}" is not TYPE/NAME; either all arguments are, or none`);
  }
  return { type: findResourceType(types, word), name };
}

function typesOf(types: readonly ResourceType[], word: string): readonly ResourceType[] {
  const inCategory = types.filter((type) => type.categories.includes(word) && type.verbs.includes('list'));
  return inCategory.length > 0 ? inCategory : [findResourceType(types, word)];
}

/** Reads one object: `pod/a`, `pod a`; a bare `a` is of the type `fallback`. */
export function readOneTarget(
  types: readonly ResourceType[],
  args: readonly string[],
  fallback: string,
): { readonly type: ResourceType; readonly name: string } {
  const [first = '', second, ...more] = args;
  if (first === '' || more.length > 0) throw new UsageError('name one object: NAME or TYPE/NAME');
  const target = second !== undefined || first.includes('/') ? readTargets(types, args)[0] : undefined;
  if (target?.name !== undefined) return { type: target.type, name: target.name };
  return { type: findResourceType(types, fallback), name: first };
}
