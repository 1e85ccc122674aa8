import type { Frontend, FrontendKey } from '../../routing/frontend.ts';
import type { Applied } from '../dataplane.ts';
import { refusalReason } from './refusal.ts';

/** All or nothing: throws when the kernel refuses (`SystemError`), or when one of the frontends cannot be expressed. */
export type Change = (changed: readonly Frontend[], removed: readonly FrontendKey[]) => Applied;

/**
 * What was refused as a whole: removals first, then halves of the rest until each frontend that is refused stands
 * alone. Such a one is removed, so that it does not go on forwarding to where it pointed before.
 */
export function changeInParts(changed: readonly Frontend[], removed: readonly FrontendKey[], change: Change): Applied {
  const parts = removed.length > 0 ? [change([], removed)] : [];
  if (changed.length > 0) parts.push(changeInHalves(changed, change));
  return sum(parts);
}

/**
 * The same after `heal` has put right what is in force: others may have changed it, which may be why the kernel refused.
 * What has no room any more is told, whoever it is.
 */
export function healAndChange(
  heal: () => Applied,
  changed: readonly Frontend[],
  removed: readonly FrontendKey[],
  change: Change,
): Applied {
  const { refused, operations } = heal();
  const asked = new Set([...changed.map(({ key }) => key), ...removed]);
  const lost = refused.filter(({ key }) => !asked.has(key));
  return sum([{ refused: lost, operations }, changeInParts(changed, removed, change)]);
}

function changeInHalves(changed: readonly Frontend[], change: Change): Applied {
  try {
    return change(changed, []);
  } catch (error) {
    const [only] = changed;
    if (changed.length === 1 && only !== undefined) return withdraw(only, error, change);
    const half = changed.length >> 1;
    return sum([changed.slice(0, half), changed.slice(half)].map((part) => changeInHalves(part, change)));
  }
}

function withdraw({ key }: Frontend, error: unknown, change: Change): Applied {
  const { operations } = change([], [key]);
  return { refused: [{ key, reason: refusalReason(error) }], operations };
}

function sum(parts: readonly Applied[]): Applied {
  return {
    refused: parts.flatMap(({ refused }) => refused),
    operations: parts.reduce((total, { operations }) => total + operations, 0),
  };
}
