import { readSettingsFile } from '../../../src/dns/settings/file/settings-file.ts';
import { checkWritten, settingsFileOptions } from '../settings-file.ts';
import type { Random } from '../random.ts';
import { readOrError } from '../settings-check.ts';
import { kindOfMessage, textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const fields = [
  'zones: [a.example, .]',
  'listen: [":53", "tls://[::1]:853"]',
  'tls: { certificate: /a, key: /b }',
  'view: { name: v, clients: [10.0.0.0/8], names: [^a], types: [A] }',
  'log: [denial, error]',
  'dnstap: { to: tcp://127.0.0.1:6000, identity: me }',
  'rewrite:\n- name: { suffix: .a }\n  to: .b\n- { type: ANY, to: A, goOn: true }\n- { name: { regex: (a+) }, ttl: 5-9 }',
  'acl: [{ action: block, types: [TXT], clients: [fd00::/8] }]',
  'visibility: [{ action: hide, from: [a], to: ["*"] }]',
  'dns64: { prefix: 64:ff9b::/96, translateAll: true }',
  'minimal: true',
  'cluster:\n  zone: cluster.local\n  cidrs: [10.0.0.0/8]\n  pods: verified\n  ttl: 30s',
  'external: { zones: [e.example], ttl: 5s }',
  'hosts: { lines: [192.0.2.1 a b], ttl: 1m, reverse: false, fallthrough: [] }',
  'templates: [{ type: A, match: ["^(.)"], answers: ["{name} 5 IN A 192.0.2.1"], rcode: NXDOMAIN }]',
  'files: [{ path: /db, zones: [f.example], reload: 1h }]',
  'autopath: { search: [corp.example] }',
  'aaaa: none',
  'cache: { positive: { capacity: 5, min: 1s, max: 1h }, stale: 1h, prefetch: 2 }',
  'forward:\n- zones: [.]\n  to: [192.0.2.1, "tls://192.0.2.2%n", /etc/resolv.conf]\n  policy: random\n  healthCheck: 500ms',
  'transfer: [{ zones: [a.example], clients: [10.0.0.0/8], keys: [{ name: k, secret: AAAA }] }]',
];
const outside = [
  'identity: me',
  'health: { listen: ":8080", lameDuck: 5s }',
  'ready: 127.0.0.1:8181',
  'metrics: ":9153"',
  'workers: 2',
  'reload: 30s',
];
const words =
  `${fields.join(' ')} ${outside.join(' ')} null ~ true no 0x1f 1e3 .inf !!binary !!set &a *a << ? --- ... %YAML # "\\x00" 'a''b' [] {} 1.5h constructor __proto__`.split(
    /[ \n]+/,
  );

/** Settings files: YAML with a field for each handler. */
export const settings: Target = textTarget({
  name: 'settings',
  generate: randomSettings,
  mutate: (random, text, other) => mutateText(random, text, other, words),
  check(text) {
    const read = readOrError(text, settingsFileOptions.file, () => readSettingsFile(text, settingsFileOptions));
    if ('mistake' in read) return kindOf(read.mistake);
    if (text.length % 128 === 0) checkWritten(read.value);
    return `${Math.min(read.value.servers.length, 3)} servers`;
  },
});

function randomSettings(random: Random): string {
  const server = (): string =>
    random
      .many(1, 2, () => random.pick(fields))
      .join('\n')
      .replaceAll(/^/gm, '  ')
      .replace(/^ {2}/, '- ');
  const servers = `servers:\n${random.many(1, random.oneIn(4) ? 3 : 1, server).join('\n')}`;
  return [...random.many(0, 1, () => random.pick(outside)), servers].join('\n');
}

/** The sentence without the path of the field before, which comes from the input. */
function kindOf(mistake: string): string {
  const kind = kindOfMessage(mistake.split(': ').at(-1) ?? '');
  return /^(?:is|are|there|needs|the|a|""|[A-Z][a-z]+) [\w "#(),.'-]{8,}$/.test(kind) ? kind : 'another mistake';
}
