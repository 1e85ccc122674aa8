import { setTimeout as delay } from 'node:timers/promises';
import type { Again, AskHealth, Call, Case, Connect, Expectation, Forget, SendStray } from './case.ts';
import { type Check, checkAnswers, describeCall, isOutcome, needsOf } from './check.ts';
import type { HostTask } from './hosts.ts';
import type { Subject } from './subject.ts';
import type { Tally } from './tally.ts';
import { type Family, servicePort } from './world.ts';

/** A case on its way. */
export interface Run {
  readonly subject: Subject;
  readonly each: Case;
  readonly tally: Tally;
  /** Who answered the calls that were held, by caller, family and name. */
  readonly servers: Map<string, string>;
}

/** How long an answer is waited for where one must come, and where none may. */
const patienceMs = { answer: 15_000, silence: 300 };

/** Makes a call in each family; returns the problems. */
export async function makeCall(run: Run, call: Call): Promise<readonly string[]> {
  if ('stray' in call) return sendStray(run, call);
  if ('health' in call) return askHealth(run, call);
  const { families: all } = run.subject.world;
  if ('forgotten' in call) return (await Promise.all(all.map((family) => expectForgotten(run, call, family)))).flat();
  const families = call.families ?? all;
  const problems = await Promise.all(families.map((family) => callIn(run, call, family)));
  return problems.flat();
}

/** Calls again and again until `change` is done, and once more; returns the problems. */
export async function callMeanwhile(
  run: Run,
  calls: readonly Connect[],
  change: () => Promise<void>,
): Promise<readonly string[]> {
  let isDone = false;
  const keepCalling = async (call: Connect, family: Family): Promise<readonly string[]> => {
    const answers: string[] = [];
    for (let isLast = false; !isLast;) {
      isLast = isDone;
      answers.push(...(await answersTo(run, call, family)));
    }
    return judge(run, call, family, answers);
  };
  const { families } = run.subject.world;
  const callers = calls.flatMap((call) => families.map((family) => keepCalling(call, family)));
  await change();
  isDone = true;
  return (await Promise.all(callers)).flat();
}

async function callIn(run: Run, call: Connect | Again, family: Family): Promise<readonly string[]> {
  const hasFamily = run.subject.world.families.includes(family);
  const answers = hasFamily ? await answersTo(run, call, family) : ['no such address'];
  const problems = judge(run, call, family, answers);
  if ('again' in call) return problems;
  if (call.hold !== undefined) run.servers.set(`${call.from} ${family} ${call.hold}`, serverOf(answers.at(-1)));
  return call.staysWith === undefined ? problems : [...problems, ...judgeStay(run, call, family, answers)];
}

function judgeStay(run: Run, call: Connect, family: Family, answers: readonly string[]): readonly string[] {
  const before = run.servers.get(`${call.from} ${family} ${call.staysWith}`) ?? '';
  const isBound = typeof call.expect !== 'string' && call.expect.includes(before);
  const left = isBound ? answers.find((answer) => serverOf(answer) !== before) : undefined;
  const problem = left === undefined ? undefined : `${left} instead of ${before}, who served it before`;
  const check: Check = { needs: needsOf(call, family), problem, isEvidence: isBound };
  return [run.tally.judge(check, run.each.title, describeCall(call, family)) ?? []].flat();
}

function serverOf(answer: string | undefined): string {
  return answer?.split(' ')[0] ?? '';
}

async function expectForgotten(run: Run, { forgotten, afterMs }: Forget, family: Family): Promise<readonly string[]> {
  const ask = () => Promise.all(forgotten.map((call) => answersTo(run, call, family)));
  const before = await ask();
  await delay(afterMs);
  const after = await ask();
  const problems = forgotten.flatMap((call, at) => [
    ...judge(run, call, family, before[at] ?? []),
    ...judge(run, call, family, after[at] ?? []),
  ]);
  const isSame = before.every(([first], at) => first === after[at]?.[0]);
  const check: Check = { needs: ['affinity-timeout'], problem: isSame ? 'nobody' : undefined, isEvidence: true };
  return [
    ...problems,
    run.tally.judge(check, run.each.title, `forgotten after ${afterMs} ms (${family})`) ?? [],
  ].flat();
}

function judge(run: Run, call: Connect | Again, family: Family, answers: readonly string[]): readonly string[] {
  const what = describeCall(call, family);
  const checks: readonly Check[] = checkAnswers(run.subject.world, family, call, answers);
  return checks.map((check) => run.tally.judge(check, run.each.title, what)).filter((problem) => problem !== undefined);
}

function answersTo(run: Run, call: Connect | Again, family: Family): Promise<readonly string[]> {
  const isSilent = call.expect === 'timeout' || run.tally.lacking(needsOf(call, family)).length > 0;
  const patience = isSilent ? patienceMs.silence : patienceMs.answer;
  const task = taskOf(run.subject, call, family, patience);
  if (!('again' in call) || call.isEventual !== true) return run.subject.perform(call.from, task);
  return eventualAnswers(() => run.subject.perform(call.from, task), call.expect);
}

/** The first answer that is as expected, or the last of those that came. */
async function eventualAnswers(
  ask: () => Promise<readonly string[]>,
  expected: Expectation,
): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs.answer;
  for (;;) {
    const answers = await ask();
    const isRight = answers.every((answer) =>
      typeof expected === 'string' ? isOutcome(answer, expected) : expected.includes(answer.split(' ')[0] ?? ''),
    );
    if (isRight || performance.now() > deadline) return answers;
    await delay(20);
  }
}

function taskOf({ world }: Subject, call: Connect | Again, family: Family, patienceMs: number): HostTask {
  if ('again' in call) return { kind: 'again', hold: `${family} ${call.again}`, patienceMs };
  const { to, port = servicePort, protocol = 'TCP', times = 1, size = 0, hold } = call;
  const address = world.addresses[family][to];
  const task = { kind: 'call' as const, address, port, protocol, times, size, patienceMs };
  return hold === undefined ? task : { ...task, hold: `${family} ${hold}` };
}

/** It is made where the network tells real packets from forged ones. */
async function sendStray({ subject, tally }: Run, { stray }: SendStray): Promise<readonly string[]> {
  if (tally.lacking(['client-address']).length === 0) await subject.perform(stray, { kind: 'stray' });
  return [];
}

/** Any path answers 200 or 503 with the number of local endpoints, in kube-proxy's form. */
async function askHealth(
  { subject, tally }: Run,
  { from, health, port, expect }: AskHealth,
): Promise<readonly string[]> {
  // It is for load balancers, which are outside.
  if (tally.lacking(['outside-callers']).length > 0) return [];
  const ask = async (family: Family): Promise<readonly string[]> => {
    const address = subject.world.addresses[family][health];
    const [answer = ''] = await subject.perform(from, { kind: 'get', address, port, patienceMs: patienceMs.answer });
    const what = `health check of node ${health} (${family})`;
    return isHealthAnswer(answer, expect) ? [] : [`${what}: ${answer} instead of ${expect}`];
  };
  return (await Promise.all(subject.world.families.map(ask))).flat();
}

function isHealthAnswer(answer: string, expected: AskHealth['expect']): boolean {
  if (expected === 'refused') return answer === 'refused';
  return answer.startsWith(expected > 0 ? '200 ' : '503 ') && answer.includes(`"localEndpoints":${expected},`);
}
