import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCorefile } from './corefile/corefile.ts';
import { readSettingsFile } from './file/settings-file.ts';
import { writeSettingsFile } from './file/write-settings.ts';
import { readKubeDns } from './kube-dns.ts';
import type { DnsSettings } from './settings.ts';

const resolvers = (path: string): string[] | undefined => (path === '/etc/resolv.conf' ? ['192.0.2.53'] : undefined);

function corefile(text: string): DnsSettings {
  const path = (each: string): string => each;
  return readCorefile(text, {
    file: 'Corefile',
    environment: {},
    readImport: () => [],
    resolvers,
    searchList: () => ['corp.example'],
    path,
  }).settings;
}

const whole = corefile(`.:53 tls://.:8853 {
  bind 127.0.0.1
  tls /a.crt /a.key /ca.crt
  log { 
    class denial
  }
  rewrite continue name suffix .a .b
  rewrite type ANY A
  rewrite ttl exact x 5-9
  acl {
    block type TXT net 10.0.0.0/8
  }
  dns64
  minimal
  kubernetes cluster.local in-addr.arpa {
    pods verified
    namespaces a b
    zonal
    endpoint_pod_names
  }
  hosts {
    192.0.2.1 a
    no_reverse
  }
  template IN A x {
    match ^a
    answer "{{ .Name }} 60 IN A 192.0.2.1"
  }
  file /db.x x
  cache 60 {
    serve_stale
  }
  forward . 192.0.2.1 tls://192.0.2.2%name {
    policy round_robin
    health_check 250ms
    except y
  }
  health
  ready
  prometheus
  reload 10s
}`);

test('what is written is read back the same', () => {
  const settings = { ...whole, shadow: { to: { address: '10.244.0.7', port: 53 }, percent: 25 } };
  const read = readSettingsFile(writeSettingsFile(settings), { file: 'dns.yaml', path: (each) => each, resolvers });
  assert.deepEqual(read, settings);
});

test('lists that are empty are written where leaving them out means something else', () => {
  const text = `servers:
- zones: [a.example]
  log: []
  external: { zones: [] }
  templates: [{ zones: [], answers: [] }]
  cache: { zones: [] }
  forward: [{ zones: [], to: [] }]`;
  const options = { file: 'dns.yaml', path: (each: string): string => each, resolvers };
  const settings = readSettingsFile(text, options);
  assert.deepEqual(readSettingsFile(writeSettingsFile(settings), options), settings);
});

test('the name in certificates is of servers over TLS, also over HTTPS', () => {
  const settings = corefile(
    '. {\n forward . 192.0.2.1 tls://192.0.2.2 https://192.0.2.3 {\n  tls_servername dns.example\n }\n}',
  );
  assert.deepEqual(
    settings.servers[0]?.forwards[0]?.upstreams.map(({ serverName }) => serverName),
    [undefined, 'dns.example', 'dns.example'],
  );
  const read = readSettingsFile(writeSettingsFile(settings), { file: 'dns.yaml', path: (each) => each, resolvers });
  assert.deepEqual(read, settings);
});

test('a kube-dns ConfigMap becomes settings', () => {
  const data = {
    stubDomains: '{"corp.example": ["192.0.2.8", "192.0.2.9:5353"]}',
    upstreamNameservers: '["192.0.2.1"]',
  };
  const [server] = readKubeDns(data, 'kube-dns.yaml', resolvers).servers;
  assert.deepEqual(
    server?.forwards.map(({ zones, upstreams }) => [zones, upstreams.map(({ address, port }) => `${address}:${port}`)]),
    [
      [['corp.example'], ['192.0.2.8:53', '192.0.2.9:5353']],
      [['.'], ['192.0.2.1:53']],
    ],
  );
  const [plain] = readKubeDns({}, 'kube-dns.yaml', resolvers).servers;
  assert.equal(plain?.forwards[0]?.upstreams[0]?.address, '192.0.2.53');
  const mistakes: readonly Record<string, string>[] = [
    { stubDomains: '[]' },
    { upstreamNameservers: 'x' },
    { other: '' },
    { federations: 'x=y' },
  ];
  for (const wrong of mistakes) {
    assert.throws(() => readKubeDns(wrong, 'kube-dns.yaml', resolvers), {
      name: 'SettingsError',
    });
  }
});
