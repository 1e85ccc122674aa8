import type { Backend, Frontend, Target } from './frontend.ts';

/** True when a plane would do the same for both. Which Service asks for it, and Pod names, are part of it. */
export function isSameFrontend(a: Frontend, b: Frontend): boolean {
  return (
    a === b ||
    (a.key === b.key &&
      a.kind === b.kind &&
      a.service === b.service &&
      a.portName === b.portName &&
      a.masquerade === b.masquerade &&
      a.lastPort === b.lastPort &&
      a.scheduler === b.scheduler &&
      a.resetAfterSeconds === b.resetAfterSeconds &&
      a.affinity?.timeoutSeconds === b.affinity?.timeoutSeconds &&
      isSameList(a.sourceRanges, b.sourceRanges) &&
      isSameTarget(a.internal, b.internal) &&
      isSameTarget(a.external, b.external))
  );
}

function isSameTarget(a: Target, b: Target): boolean {
  if (a === b) return true;
  if (a.verdict !== b.verdict || a.backends.length !== b.backends.length) return false;
  return a.backends.every((backend, index) => isSameBackend(backend, b.backends[index]));
}

function isSameBackend(a: Backend, b: Backend | undefined): boolean {
  return (
    b !== undefined &&
    a.address === b.address &&
    a.port === b.port &&
    a.weight === b.weight &&
    a.local === b.local &&
    a.pod === b.pod
  );
}

/** True for equal lists, and for none twice. */
export function isSameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
