import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const here = import.meta.dirname;

/**
 * Runs a program in a process that believes to be on macOS and cannot load koffi; with `withoutLinux`, nothing of
 * `src/linux/` either.
 */
function runElsewhere(program: string, withoutLinux: boolean): unknown {
  const forbidden = withoutLinux ? String.raw`/\/src\/linux\/|\/koffi\//` : String.raw`/\/koffi\//`;
  const preload = `
    import { registerHooks } from 'node:module';
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        if (${forbidden}.test(found.url)) throw new Error('loaded ' + found.url);
        return found;
      },
    });
  `;
  const url = `data:text/javascript,${encodeURIComponent(preload)}`;
  const output = execFileSync(
    process.execPath,
    ['--import', url, '--input-type=module', '--no-warnings', '-e', program],
    { cwd: here, encoding: 'utf8', timeout: 20_000 },
  );
  return JSON.parse(output);
}

test('the plane loads and forwards TCP and UDP where there is no Linux', () => {
  const program = `
    import { createSocket } from 'node:dgram';
    import { once } from 'node:events';
    import { connect, createServer } from 'node:net';
    import { createUserspacePlane } from '${pathToFileURL(join(here, 'plane.ts')).href}';
    const host = '127.0.0.1';
    const server = createServer((socket) => socket.end('tcp')).listen(0, host);
    const echo = createSocket('udp4').bind(0, host);
    await Promise.all([once(server, 'listening'), once(echo, 'listening')]);
    echo.on('message', (_, peer) => echo.send('udp', peer.port, peer.address));
    const free = createServer().listen(0, host);
    await once(free, 'listening');
    const { port } = free.address();
    await new Promise((done) => free.close(done));
    const frontend = (protocol, to, address = host, at = port) => {
      const backends = [{ address: host, port: to, weight: 1, local: true }];
      const target = { verdict: 'forward', backends };
      return { key: address + ':' + at + '/' + protocol, kind: 'ClusterIP', family: 'IPv4', address, port: at, protocol,
        service: 'a/b', portName: '', internal: target, external: target, masquerade: 'never' };
    };
    const plane = createUserspacePlane({ podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] });
    const changed = [frontend('TCP', server.address().port), frontend('UDP', echo.address().port),
      frontend('TCP', 1, '198.51.100.1', 8080)];
    const { refused } = await plane.adopt(changed);
    const [tcp] = await once(connect(port, host), 'data');
    const client = createSocket('udp4');
    client.send('?', port, host);
    const [udp] = await once(client, 'message');
    console.log(JSON.stringify([String(tcp), String(udp), refused.at(-1)]));
    process.exit();
  `;
  assert.deepEqual(runElsewhere(program, true), [
    'tcp',
    'udp',
    { key: '198.51.100.1:8080/TCP', reason: '198.51.100.1 is not an address of this machine' },
  ]);
});

test('the proxy chooses the plane there by itself, and says why', () => {
  const program = `
    import { choosePlane } from '${pathToFileURL(join(here, '../open-plane.ts')).href}';
    import '${pathToFileURL(join(here, '../run.ts')).href}';
    const network = { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] };
    const logger = { warn() {}, info() {}, debug() {}, error() {} };
    console.log(JSON.stringify(await choosePlane('auto', { network, logger })));
  `;
  const { plane, reason } = runElsewhere(program, false) as { plane: string; reason: string };
  assert.equal(plane, 'userspace');
  assert.match(reason, /this is darwin/);
});
