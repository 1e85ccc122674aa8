import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { finish, succeed } from '../support/commands.ts';
import type { Finished } from '../support/commands.ts';
import { up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { kubectlVersions } from '../support/kubectl-versions.ts';
import { serverDeployment, service } from '../support/server-pod.ts';
import { waitFor } from '../support/wait.ts';

let system: System;

before(async () => {
  isolateNetwork();
  system = await up();
});

after(async () => system[Symbol.asyncDispose]());

for (const { path, minor } of kubectlVersions()) {
  describe(`kubectl 1.${minor}`, () => {
    const namespace = `v1-${minor}`;
    const kubectl = (...args: string[]): Promise<string> =>
      system.kubectl(['-n', namespace, ...args], { binary: path });
    const fails = (...args: string[]): Promise<Finished> =>
      finish(path, ['-n', namespace, ...args], { env: { KUBECONFIG: system.kubeconfig, HOME: system.dataDir } });
    const manifest = join('/tmp', `fairlead-kubectl-1.${minor}.json`);

    before(async () => {
      await kubectl('create', 'namespace', namespace);
      const items = [
        serverDeployment('web', 2, { port: 8080 }),
        service('web', { ports: [{ name: 'http', port: 80, targetPort: 'http' }] }),
      ];
      writeFileSync(manifest, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    });
    after(async () => {
      await kubectl('delete', 'namespace', namespace);
    });

    test('apply creates, configures and leaves unchanged', async () => {
      assert.equal(await kubectl('apply', '-f', manifest), 'deployment.apps/web created\nservice/web created\n');
      assert.equal(await kubectl('apply', '-f', manifest), 'deployment.apps/web unchanged\nservice/web unchanged\n');
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=30s');
    });

    test('diff shows what apply would change', async () => {
      await kubectl('label', 'service', 'web', 'tier=front');
      const { code } = await fails('diff', '-f', manifest);
      assert.ok(code === 0 || code === 1, `diff ended with ${code}`);
    });

    test('server-side apply owns its fields and reports conflicts', async () => {
      const config = (value: string): string =>
        JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data: { key: value } });
      const applyAs = (manager: string, value: string, ...more: string[]): Promise<Finished> =>
        finish(path, ['-n', namespace, 'apply', '--server-side', `--field-manager=${manager}`, '-f', '-', ...more], {
          input: config(value),
          env: { KUBECONFIG: system.kubeconfig, HOME: system.dataDir },
        });
      assert.equal((await applyAs('first', 'a')).code, 0);
      const refused = await applyAs('second', 'b');
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /conflict with "first".*\.data\.key/s);
      assert.equal((await applyAs('second', 'b', '--force-conflicts')).code, 0);
      assert.equal(await kubectl('get', 'configmap', 'shared', '-o', 'jsonpath={.data.key}'), 'b');
    });

    test('get prints tables, wide tables, names, JSON and YAML', async () => {
      const table = await kubectl('get', 'deployment,service', '-o', 'wide');
      assert.match(table, /NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\s+CONTAINERS\s+IMAGES\s+SELECTOR/);
      assert.match(table, /deployment\.apps\/web\s+2\/2\s+2\s+2/);
      assert.match(table, /service\/web\s+ClusterIP\s+10\.96\.\d+\.\d+\s+<none>\s+80\/TCP/);
      assert.equal(await kubectl('get', 'service', 'web', '-o', 'name'), 'service/web\n');
      assert.match(await kubectl('get', 'pods', '-l', 'app=web', '--no-headers'), /1\/1\s+Running/);
      assert.match(await kubectl('get', 'service', 'web', '-o', 'yaml'), /clusterIP: 10\.96\./);
      assert.match(await kubectl('get', 'all'), /replicaset\.apps\/web-/);
    });

    test('describe shows Service, Deployment, Pod and node', async () => {
      assert.match(
        await kubectl('describe', 'service', 'web'),
        /Endpoints:\s+10\.244\.0\.\d+:8080,10\.244\.0\.\d+:8080/,
      );
      assert.match(await kubectl('describe', 'deployment', 'web'), /NewReplicaSet:\s+web-.*\(2\/2 replicas created\)/);
      assert.match(await kubectl('describe', 'pods', '-l', 'app=web'), /Ready\s+True/);
      assert.match(await kubectl('describe', 'nodes'), /Ready\s+True/);
    });

    test('explain knows fields and their types', async () => {
      assert.match(await kubectl('explain', 'service.spec.ports.targetPort'), /targetPort/);
      assert.match(await kubectl('explain', 'deployment.spec.strategy'), /rollingUpdate/);
    });

    test('create, run and expose make what they say', async () => {
      await kubectl('create', 'deployment', 'made', '--image=host', '--replicas=0');
      await kubectl('create', 'configmap', 'settings', '--from-literal=colour=blue');
      await kubectl('create', 'secret', 'generic', 'password', '--from-literal=word=hush');
      await kubectl('create', 'serviceaccount', 'robot');
      await kubectl('run', 'sleeper', '--image=host', '--command', '--', 'sleep', '1000');
      await kubectl('wait', '--for=condition=Ready', 'pod/sleeper', '--timeout=20s');
      await kubectl('expose', 'deployment', 'web', '--name=again', '--port=8080');
      assert.match(await kubectl('get', 'service', 'again'), /8080\/TCP/);
      assert.equal(await kubectl('get', 'secret', 'password', '-o', 'jsonpath={.data.word}'), 'aHVzaA==');
    });

    test('patch works in all its types', async () => {
      await kubectl('patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"size":"big"}}');
      await kubectl('patch', 'configmap', 'settings', '--type=json', '-p', '[{"op":"remove","path":"/data/colour"}]');
      assert.equal(await kubectl('get', 'configmap', 'settings', '-o', 'jsonpath={.data}'), '{"size":"big"}');
      await kubectl(
        'patch',
        'deployment',
        'web',
        '-p',
        '{"spec":{"template":{"spec":{"containers":[{"name":"server","env":[{"name":"EXTRA","value":"1"}]}]}}}}',
      );
      const names = await kubectl(
        'get',
        'deployment',
        'web',
        '-o',
        'jsonpath={.spec.template.spec.containers[0].env[*].name}',
      );
      assert.deepEqual(names.split(' ').toSorted(), ['EXTRA', 'PORT', 'POD_IP', 'POD_NAME'].toSorted());
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    });

    test('edit saves what the editor wrote', async () => {
      const env = { KUBECONFIG: system.kubeconfig, HOME: system.dataDir, EDITOR: "sed -i 's/size: big/size: small/'" };
      await succeed(path, ['-n', namespace, 'edit', 'configmap', 'settings'], { env });
      assert.equal(await kubectl('get', 'configmap', 'settings', '-o', 'jsonpath={.data.size}'), 'small');
    });

    test('scale, set image, history and undo follow the rollout', async () => {
      await kubectl('scale', 'deployment', 'web', '--replicas=3');
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
      await kubectl('set', 'image', 'deployment/web', 'server=host:v2');
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
      assert.match(await kubectl('rollout', 'history', 'deployment/web'), /REVISION\s+CHANGE-CAUSE\n1 .*\n2 .*\n3 /);
      await kubectl('rollout', 'undo', 'deployment/web');
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
      assert.equal(
        await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'),
        'host',
      );
    });

    test('logs and exec reach the process', async () => {
      await kubectl(
        'run',
        'talker',
        '--image=host',
        '--restart=Never',
        '--command',
        '--',
        'sh',
        '-c',
        'echo first; echo second; sleep 1000',
      );
      await kubectl('wait', '--for=condition=Ready', 'pod/talker', '--timeout=20s');
      await waitFor(async () => (await kubectl('logs', 'talker')) === 'first\nsecond\n', { what: 'the log lines' });
      assert.equal(await kubectl('logs', 'talker', '--tail=1'), 'second\n');
      assert.match(
        await kubectl('exec', 'talker', '--', 'cat', '/etc/resolv.conf'),
        new RegExp(`search ${namespace}\\.svc\\.cluster\\.local`),
      );
      const piped = await succeed(path, ['-n', namespace, 'exec', '-i', 'talker', '--', 'tr', 'a-z', 'A-Z'], {
        input: 'shout\n',
        env: { KUBECONFIG: system.kubeconfig, HOME: system.dataDir },
      });
      assert.equal(piped, 'SHOUT\n');
      assert.equal((await fails('exec', 'talker', '--', 'sh', '-c', 'exit 7')).code, 7);
    });

    test('port-forward carries a request to the Pod', async () => {
      const port = 20000 + minor;
      const child = spawn(path, ['-n', namespace, 'port-forward', 'deployment/web', `${port}:8080`], {
        env: { ...process.env, KUBECONFIG: system.kubeconfig, HOME: system.dataDir },
        stdio: 'ignore',
      });
      try {
        const body = await waitFor(() => succeed('curl', ['-sf', `http://127.0.0.1:${port}/`]), {
          what: 'an answer through the tunnel',
        });
        assert.match(body, /^web-/);
      } finally {
        child.kill();
      }
    });

    test('get -w shows changes as they happen', async () => {
      const child = spawn(path, ['-n', namespace, 'get', 'configmap', '-w', '--no-headers'], {
        env: { ...process.env, KUBECONFIG: system.kubeconfig, HOME: system.dataDir },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let seen = '';
      child.stdout.on('data', (chunk) => (seen += String(chunk)));
      try {
        await waitFor(() => seen.includes('settings'), { what: 'the first list' });
        await kubectl('create', 'configmap', 'late', '--from-literal=a=b');
        await waitFor(() => /late\s+1/.test(seen), { what: 'the new object in the watch' });
      } finally {
        child.kill();
      }
    });

    test('errors read as those of a Kubernetes server', async () => {
      assert.match(
        (await fails('get', 'service', 'nope')).stderr,
        /Error from server \(NotFound\): services "nope" not found/,
      );
      assert.match(
        (await fails('create', 'service', 'clusterip', 'web', '--tcp=80')).stderr,
        /already exists|AlreadyExists/,
      );
      const invalid = JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'bad' },
        spec: { ports: [{ port: 0 }] },
      });
      const { stderr } = await finish(path, ['-n', namespace, 'create', '-f', '-'], {
        input: invalid,
        env: { KUBECONFIG: system.kubeconfig, HOME: system.dataDir },
      });
      assert.match(
        stderr,
        /The Service "bad" is invalid:\s+\*? ?spec\.ports\[0\]\.port: Invalid value: 0: must be between 1 and 65535, inclusive/,
      );
    });

    test('delete removes objects and what they own', async () => {
      await kubectl('delete', '-f', manifest);
      await waitFor(async () => (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')) === '', {
        what: 'the Pods of the deleted Deployment going',
        timeoutMs: 30_000,
      });
      await kubectl('delete', 'pod', 'sleeper', 'talker', '--grace-period=1');
    });
  });
}
