import type { Handler } from '../chain.ts';
import type { ApiVerb } from '../request-info.ts';
import { get } from '../verbs/get.ts';
import { patch } from '../verbs/patch.ts';
import { update } from '../verbs/update.ts';
import { evict } from './eviction.ts';
import { podLog } from './log.ts';
import { getScale, patchScale, updateScale } from './scale.ts';
import { createToken } from './token.ts';
import { needsUpgrade } from './tunnel.ts';

type ByVerb = Readonly<Partial<Record<ApiVerb, Handler>>>;

/** What each subresource does, by `<resource>/<subresource>`; `*` stands for every resource. */
export const subresources: Readonly<Record<string, ByVerb>> = {
  '*/status': { get, update, patch },
  '*/scale': { get: getScale, update: updateScale, patch: patchScale },
  'namespaces/finalize': { update },
  'serviceaccounts/token': { create: createToken },
  'pods/eviction': { create: evict },
  'pods/log': { get: podLog },
  'pods/exec': { get: needsUpgrade, create: needsUpgrade },
  'pods/attach': { get: needsUpgrade, create: needsUpgrade },
  'pods/portforward': { get: needsUpgrade, create: needsUpgrade },
};
