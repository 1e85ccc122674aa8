import { renderFields } from '../describe/fields.ts';
import type { Fields } from '../describe/fields.ts';
import type { RunFile } from '../run-file.ts';
import type { Share, StatusReport } from './report.ts';

/** The report for people. */
export function formatStatus({ run, api, nodes, pods, services }: StatusReport): string {
  const local: Fields = run === undefined ? [] : runFields(run);
  return renderFields([
    ...local,
    ['API server', `${api.server} (${api.version}, answered in ${api.answeredInMs} ms)`],
    ['Nodes', shareText(nodes, 'ready')],
    ['Pods', shareText(pods, 'ready')],
    ['Services', shareText(services, 'with ready endpoints')],
  ]);
}

function runFields(run: Omit<RunFile, 'version'>): Fields {
  const mode = run.mode === 'root' ? 'as root' : 'without root (see docs/guide/without-root.md)';
  return [
    ['Fairlead', `${run.fairleadVersion}, process ${run.pid}, ${mode}, since ${run.startedAt}`],
    ['Data plane', `${run.plane.name}: ${run.plane.reason}`],
    ['DNS', `${run.dns.clusterAddress} for Pods, ${run.dns.hostAddress} for this machine; domain ${run.clusterDomain}`],
    ['Addresses', `Pods ${run.network.podCidr}, Services ${run.network.serviceCidr}`],
    ['Data folder', `${run.dataDir}${run.keepsData ? '' : ' (removed when it ends)'}`],
    ['Kubeconfig', run.kubeconfig],
  ];
}

/** `4 of 6 ready; not: shop/cart, shop/web`. */
function shareText({ total, ready, notReady }: Share, word: string): string {
  const shown = notReady.slice(0, 5).join(', ');
  const more = notReady.length > 5 ? ` and ${notReady.length - 5} more` : '';
  const rest = notReady.length === 0 ? '' : `; not: ${shown}${more}`;
  return total === 0 ? 'none' : `${ready} of ${total} ${word}${rest}`;
}
