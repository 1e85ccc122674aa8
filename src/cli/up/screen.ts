import type { Palette } from '../palette.ts';
import type { RunFile } from '../run-file.ts';

/** What is reduced without root, each in a line. */
const reducedWithoutRoot = [
  'Pods are plain processes of yours: no network namespaces; servers should listen on $POD_IP',
  'Services are loopback addresses of this machine; ports below 1024 cannot be opened',
  'DNS answers on its host port only; Pods keep the resolver of this machine',
];

/** The one screen that `up` shows when everything works. `launcher` is how the user called the program. */
export function readyScreen(run: RunFile, launcher: string, colours: Palette): string {
  const rows: readonly (readonly [string, string])[] = [
    ['API', run.api],
    ['kubectl', colours.bold(`export KUBECONFIG=${run.kubeconfig}`)],
    ['DNS', dnsText(run)],
    ['Data plane', `${run.plane.name} (${run.plane.reason})`],
    ['Pods', `${run.network.podCidr} on node ${run.nodeName}; Services ${run.network.serviceCidr}`],
    ['Data', run.keepsData ? `${run.dataDir} (kept)` : `${run.dataDir} (removed at the end; --data DIR keeps it)`],
  ];
  const lines = [
    '',
    colours.bold('Fairlead is ready.'),
    '',
    ...rows.map(([name, value]) => `  ${colours.dim(name.padEnd(11))} ${value}`),
    ...(run.mode === 'rootless' ? reducedLines(colours) : []),
    '',
    'Try in another terminal:',
    `  ${launcher} apply -f examples/hello/`,
    `  ${launcher} get pods,services -o wide`,
    `  ${launcher} exec -- curl -s http://hello${run.mode === 'rootless' ? ':8000' : ''}`,
    '',
    colours.dim('Ctrl-C ends everything and takes it away.'),
    '',
  ];
  return lines.join('\n');
}

function dnsText({ dns, mode }: RunFile): string {
  const [address, port] = dns.hostAddress.split(':');
  const ask = `dig @${address} -p ${port}`;
  return mode === 'root'
    ? `${dns.clusterAddress}, and on this host ${dns.hostAddress} (${ask})`
    : `${dns.hostAddress} (${ask})`;
}

function reducedLines(colours: Palette): readonly string[] {
  return [
    '',
    colours.yellow('  Reduced, because it runs without root:'),
    ...reducedWithoutRoot.map((line) => `    - ${line}`),
  ];
}
