import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frontend, Target } from '../../routing/frontend.ts';
import { Frontends, changesBetween } from '../contract/frontends.ts';
import { ipv4, network } from '../contract/worlds.ts';
import { createFakePlane } from '../fake.ts';
import type { EndedFlows } from './ended-flows.ts';
import type { FlowTable } from './kernel-flows.ts';
import { endingStaleFlows } from './plane.ts';

const make = new Frontends(ipv4);
const pod1 = `${ipv4.pods.pod1}:8080`;
const udp = (target: Target, more: Partial<Frontend> = {}) => make.clusterIp(target, { protocol: 'UDP', ...more });
const tcp = (target: Target) => make.clusterIp(target, { resetAfterSeconds: 0 });

/** A plane over fakes, and what happened to flows. */
function open() {
  const said: string[] = [];
  const say = (what: string) => (ended: readonly EndedFlows[]) => {
    for (const { frontend, lost } of ended) said.push(`${what} ${frontend.key} ${[...lost].join(' ')}`.trim());
  };
  const fake = createFakePlane(network, [ipv4.node]);
  const state = { failure: undefined as Error | undefined };
  const flows: FlowTable = {
    forget(ended) {
      if (state.failure !== undefined) throw state.failure;
      say('forget')(ended);
    },
    reset(ended) {
      if (state.failure !== undefined) throw state.failure;
      say('reset')(ended);
    },
    astray: (frontends) => frontends.map((frontend) => ({ frontend, lost: new Set([pod1]), kept: undefined })),
    [Symbol.dispose]: () => said.push('closed'),
  };
  let restored: () => void = () => undefined;
  const plane = endingStaleFlows(
    (onRestored) => {
      restored = onRestored;
      return fake;
    },
    { flows },
  );
  return { plane, fake, said, state, restored: () => restored() };
}

test('a change ends flows after it is in force', async () => {
  const { plane, said } = open();
  await plane.adopt([udp(make.forward('pod1'))]);
  said.length = 0;
  await plane.apply(changesBetween([], [udp(make.forward('pod2'))]));
  assert.deepEqual(said, [`forget 10.96.0.10:80/UDP ${pod1}`]);
  assert.equal((await plane.dump())[0]?.internal.backends[0]?.address, ipv4.pods.pod2);
});

test('a change that failed in the kernel is made up for by its repetition', async () => {
  const { plane, said, state } = open();
  await plane.adopt([udp(make.forward('pod1'))]);
  said.length = 0;
  state.failure = new Error('no buffer space');
  const changes = changesBetween([], [udp(make.forward('pod2'))]);
  await assert.rejects(plane.apply(changes), /no buffer space/);
  state.failure = undefined;
  await plane.apply(changes);
  assert.ok(said.includes(`forget 10.96.0.10:80/UDP ${pod1}`));
});

test('a frontend that the plane refuses keeps no flow', async () => {
  const { plane, fake, said } = open();
  await plane.adopt([udp(make.forward('pod1'))]);
  said.length = 0;
  fake.refuses = () => 'full';
  await plane.apply(changesBetween([], [udp(make.forward('pod1', 'pod2'))]));
  assert.ok(said.includes(`forget 10.96.0.10:80/UDP ${pod1}`));
});

test('when the plane has restored its tables every UDP frontend is looked at', async () => {
  const { plane, said, restored } = open();
  await plane.adopt([udp(make.forward('pod1')), tcp(make.forward('pod1'))]);
  said.length = 0;
  restored();
  assert.ok(said.includes('forget 10.96.0.10:80/UDP'));
  await plane.close();
});

test('resets wait for their time, are tried again when they failed, and end with the plane', async () => {
  const { plane, said, state } = open();
  await plane.adopt([tcp(make.forward('pod2'))]);
  const until = async (text: string) => {
    for (let times = 0; times < 500 && !said.includes(text); times += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(said.includes(text), said.join(', '));
  };
  await until(`reset 10.96.0.10:80/TCP ${pod1}`);
  state.failure = new Error('no buffer space');
  await plane.apply(changesBetween([], [tcp(make.forward('pod3'))]));
  await new Promise((resolve) => setTimeout(resolve, 50));
  state.failure = undefined;
  await until(`reset 10.96.0.10:80/TCP ${ipv4.pods.pod2}:8080`);
  await plane.close();
  assert.equal(said.at(-1), 'closed');
});
