import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frontend, FrontendChanges } from '../../routing/frontend.ts';
import type { Dataplane } from '../dataplane.ts';
import type { Call, Case, World } from './cases.ts';

/** A plane under test with the world around it. */
export interface Subject {
  readonly plane: Dataplane;
  readonly world: World;
  /** Makes one connection (or sends one datagram) and says what came of it: `SERVER ADDRESS-SEEN`, `refused`, `timeout`. */
  call(call: Call): Promise<string>;
}

/** Declares a test for each case. The subject's plane has been adopted with nothing; each case leaves it so. */
export function declareContract(title: string, subject: () => Subject, cases: readonly Case[]): void {
  for (const each of cases) {
    test(`${title}: ${each.title}`, async () => {
      const { plane, call, world } = subject();
      const after = each.after?.frontends ?? each.frontends;
      try {
        await become(plane, [], each.frontends);
        for (const one of each.calls) await expectCall(call, one, world);
        await become(plane, each.frontends, after);
        for (const one of each.after?.calls ?? []) await expectCall(call, one, world);
      } finally {
        await become(plane, [...each.frontends, ...after], []);
      }
    });
  }
}

/** The changes between two states. */
export function changesBetween(before: readonly Frontend[], after: readonly Frontend[]): FrontendChanges {
  const keys = new Set(after.map((frontend) => frontend.key));
  const removed = before.map((frontend) => frontend.key).filter((key) => !keys.has(key));
  return { changed: after, removed, triggeredAtMs: undefined };
}

async function become(plane: Dataplane, before: readonly Frontend[], after: readonly Frontend[]): Promise<void> {
  const applied = await plane.apply(changesBetween(before, after));
  assert.deepEqual(applied.refused, []);
  assert.deepEqual(byKey(await plane.dump()), byKey(after));
}

function byKey(frontends: readonly Frontend[]): Frontend[] {
  return [...frontends].sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function expectCall(make: Subject['call'], call: Call, world: World): Promise<void> {
  const answers: string[] = [];
  for (let time = 0; time < (call.times ?? 1); time += 1) answers.push(await make(call));
  const where = `${call.from} to ${call.address} ${call.port}: ${answers.join(', ')}`;
  if (typeof call.expect === 'string') {
    assert.ok(
      answers.every((answer) => answer === call.expect),
      `${where}, not ${call.expect}`,
    );
    return;
  }
  const servers = new Set(answers.map((answer) => answer.split(' ')[0] ?? ''));
  if (call.isSticky === true) assert.equal(servers.size, 1, where);
  const isAll = call.isSticky !== true && (call.times ?? 1) >= 10;
  if (isAll) assert.deepEqual([...servers].sort(), call.expect, where);
  else
    assert.ok(
      [...servers].every((server) => call.expect.includes(server)),
      where,
    );
  if (call.source !== undefined) expectSource(answers, call, world, where);
}

function expectSource(answers: readonly string[], call: Call, world: World, where: string): void {
  const own = call.from === 'outside' || call.from === 'client' ? world.sources[call.from] : world.pods.pod1;
  const isKept = answers.every((answer) => answer.split(' ')[1] === own);
  const isOther = answers.every((answer) => answer.split(' ')[1] !== own);
  assert.ok(call.source === 'kept' ? isKept : isOther, `${where}: source not ${call.source}`);
}
