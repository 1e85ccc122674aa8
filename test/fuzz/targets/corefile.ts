import assert from 'node:assert/strict';
import { testResponder } from '../../../src/dns/fixtures.ts';
import { readCorefile } from '../../../src/dns/settings/corefile/corefile.ts';
import { tokensOf } from '../../../src/dns/settings/corefile/tokens.ts';
import type { DnsSettings } from '../../../src/dns/settings/settings.ts';
import { unsupported } from '../../../src/dns/settings/unsupported.ts';
import { checkWritten, settingsFileOptions } from '../settings-file.ts';
import type { Random } from '../random.ts';
import { readOrError } from '../settings-check.ts';
import { kindOfMessage, textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const file = 'Corefile';

const keys = [
  '.',
  '.:53',
  'cluster.local',
  'tls://.:853',
  'https://a.example',
  'a.example b.example:5353',
  '{$ZONE}',
  '(shared)',
];
const directives = [
  'errors',
  'health {\n lameduck 5s\n}',
  'health :8080',
  'ready localhost:8181',
  'prometheus :9153',
  'reload 10s',
  'multisocket 2',
  'loop',
  'loadbalance round_robin',
  'nsid "me here"',
  'bind 127.0.0.1 ::1',
  'import shared',
  'kubernetes cluster.local in-addr.arpa ip6.arpa 10.0.0.0/8 {\n pods verified\n ttl 30\n fallthrough in-addr.arpa\n namespaces a b\n ignore empty_service\n zonal\n}',
  'k8s_external ext.example {\n headless\n ttl 9\n}',
  'forward . 192.0.2.1 tls://192.0.2.2%name {\n except a.b c\n policy sequential\n health_check 500ms\n max_concurrent 10\n}',
  'forward a.example /etc/resolv.conf',
  'forward . https://192.0.2.1/dns-query',
  'cache 30 {\n success 100 60 5\n denial 10 30\n prefetch 3\n serve_stale 1h\n servfail 2s\n}',
  'hosts {\n 192.0.2.1 a b.example\n 2001:db8::1 c\n ttl 60\n no_reverse\n fallthrough\n}',
  'rewrite name suffix .a .b answer auto',
  'rewrite continue name regex (.*)\\.x\\.(a|b) {1}.y.example',
  'rewrite type ANY HINFO',
  'rewrite ttl exact x 5-9',
  'template IN A a.example {\n match ^(?P<n>[0-9]+)[.]\n answer "{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}"\n rcode NXDOMAIN\n fallthrough\n}',
  'file /db.example a.example {\n reload 10s\n}',
  'acl a.example {\n block type TXT ANY net 10.0.0.0/8 fd00::/8\n allow net *\n}',
  "view v {\n expr incidr(client_ip(), '10.0.0.0/8')\n expr name() matches '^a'\n expr type() == 'A'\n}",
  'dns64 64:ff9b::/96 {\n translate_all\n}',
  'autopath @kubernetes',
  'log . {\n class denial error\n}',
  'dnstap tcp://127.0.0.1:6000 full {\n identity me\n}',
  'tls /a.crt /a.key /ca.crt',
  'transfer a.example {\n to * 192.0.2.9:53\n}',
  'minimal',
  '# a comment {',
];
const words =
  `${keys.join(' ')} ${directives.join(' ')} 1h 5x 0.5s -1 10.0.0.0/99 :: [::1]:53 300.1.1.1 {{ }} (a) import {%HOME%} constructor __proto__ (?<`.split(
    /[ \n]+/,
  );

/** Corefiles, and the settings file that says the same. */
export const corefile: Target = textTarget({
  name: 'corefile',
  generate: randomCorefile,
  mutate: (random, text, other) => mutateText(random, text, other, words),
  check(text) {
    const read = readOrError(text, file, () =>
      readCorefile(text, {
        ...settingsFileOptions,
        file,
        environment: { ZONE: 'env.example' },
        readImport: (name) => tokensOf(name === file ? text : 'errors', file, {}),
        searchList: () => ['corp.example'],
      }),
    );
    if ('mistake' in read) return kindOfMessage(read.mistake);
    const { settings } = read.value;
    assert.ok(unsupported(settings).every((line) => line !== ''));
    // Both take as long as reading hundreds of Corefiles.
    if (text.length % 64 === 0) checkWritten(settings);
    if (text.length % 256 === 0) checkStart(settings);
    return `${Math.min(settings.servers.length, 3)} servers`;
  },
});

function randomCorefile(random: Random): string {
  const block = (): string => {
    const inside = random.many(0, 4, () => random.pick(directives).replaceAll(/^/gm, '  '));
    return `${random.pick(keys)} {\n${inside.join('\n')}\n}`;
  };
  return random.many(1, 3, block).join('\n');
}

/** What is accepted can be served with; files aside, and nobody is told. */
function checkStart({ servers }: DnsSettings): void {
  for (const settings of servers)
    testResponder({ settings: { ...settings, hosts: undefined, files: [], transfer: [] } });
}
