import type { Service } from '../api/core/service.ts';
import type { Frontend } from './frontend.ts';
import { shortList } from './notice.ts';
import type { Note } from './notice.ts';

/** Notes which addresses this node ignores because a policy is Local and the endpoints are elsewhere. */
export function noteNoLocalEndpoints(
  { spec }: Service,
  frontends: readonly Frontend[],
  nodeName: string,
  note: Note,
): void {
  if (spec?.internalTrafficPolicy !== 'Local' && spec?.externalTrafficPolicy !== 'Local') return;
  const ignored = frontends.filter(({ external }) => external.verdict === 'drop');
  for (const policy of ['internalTrafficPolicy', 'externalTrafficPolicy'] as const) {
    const keys = ignored.filter(({ kind }) => (kind === 'ClusterIP') === (policy === 'internalTrafficPolicy'));
    if (keys.length === 0) continue;
    const list = shortList(keys.map(({ key }) => key));
    note(
      'NoLocalEndpoints',
      `${policy} is Local and no endpoint is on node ${nodeName}: it ignores callers of ${list}`,
    );
  }
}
