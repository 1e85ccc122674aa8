import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Frontend } from '../../routing/frontend.ts';
import type { RouterChanges } from '../../routing/router.ts';
import type { Feature } from '../limits.ts';
import { callMeanwhile, makeCall, type Run } from './calls.ts';
import type { Call, Case, Step } from './case.ts';
import { allCases } from './cases.ts';
import { Cluster } from './cluster.ts';
import type { ContractNode } from './node.ts';
import type { Subject } from './subject.ts';
import { Tally } from './tally.ts';
import { nodeNames, type NodeName, podNames } from './world.ts';

type Limits = Readonly<Partial<Record<Feature, string>>>;

export interface ContractOptions {
  /** Names the plane in the tests' titles. */
  readonly title: string;
  /** What the plane cannot do (`proxy/limits.ts`), with reasons. */
  readonly limits: Limits;
  /** Opens the world with the plane in it, once for all cases. */
  readonly open: () => Promise<Subject>;
  /** Every case unless given. */
  readonly cases?: readonly Case[];
}

/**
 * Declares a test for each case of the contract, and one that holds the plane's limits true: each of them is needed by
 * some case, and no case that needs one passes.
 */
export function declareContract({ title, limits, open, cases = allCases }: ContractOptions): void {
  let subject: Subject | undefined;
  const tally = new Tally(limits);
  before(async () => {
    subject = await open();
    await openNodes(subject, {});
  });
  after(() => subject?.[Symbol.asyncDispose]());
  for (const each of cases) {
    test(`${title}: ${each.title}`, () =>
      runCase({ subject: subject ?? assert.fail('not open'), each, tally, limits, servers: new Map() }));
  }
  test(`${title}: every limit is one`, (context) => {
    for (const text of tally.leftOut()) context.diagnostic(text);
    assert.deepEqual(tally.untrueLimits(), []);
  });
}

interface CaseRun extends Run {
  readonly limits: Limits;
}

async function runCase(run: CaseRun): Promise<void> {
  const { subject, each } = run;
  const cluster = new Cluster(subject.world, each.allowExternalIps);
  if (each.network !== undefined) await openNodes(subject, each);
  try {
    for (const step of each.steps) await runStep(run, cluster, step);
  } finally {
    const callers = ['outside', ...nodeNames, ...podNames] as const;
    await Promise.all(callers.map((host) => subject.perform(host, { kind: 'release' })));
    await change(run, cluster, () => cluster.clear());
    if (each.network !== undefined) await openNodes(subject, {});
  }
}

async function runStep(run: CaseRun, cluster: Cluster, step: Step): Promise<void> {
  const become = async (): Promise<void> => {
    await change(run, cluster, () => cluster.change(step));
    const { afterSeconds } = step;
    if (afterSeconds !== undefined) await change(run, cluster, () => cluster.pass(afterSeconds));
  };
  const problems = [...(await callMeanwhile(run, step.meanwhile ?? [], become))];
  const { calls = [] } = step;
  for (const call of calls.filter(hasShares)) problems.push(...(await makeCall(run, call)));
  const others = calls.filter((call) => !hasShares(call));
  problems.push(...(await Promise.all(others.map((call) => makeCall(run, call)))).flat());
  if (problems.length > 0) assert.fail(problems.join('\n'));
}

/**
 * Where servers take turns, all callers share the turns: of two that call at the same time one may get every other turn,
 * and so none of some server. So those that look at shares call one after the other.
 */
function hasShares(call: Call): boolean {
  return 'shares' in call && call.shares !== undefined;
}

async function openNodes({ nodes, world }: Subject, { network }: Pick<Case, 'network'>): Promise<void> {
  for (const name of nodeNames) await nodes[name]?.open({ ...world.network[name], ...network });
}

/** Applies a change of objects on every node, and holds what is in force against the router's decision. */
async function change(
  { subject, limits }: CaseRun,
  cluster: Cluster,
  decide: () => Readonly<Record<NodeName, RouterChanges>>,
): Promise<void> {
  const changes = decide();
  const become = async (name: NodeName, node: ContractNode): Promise<void> => {
    const { refused } = await node.apply(changes[name]);
    const isExcused = ({ key }: { readonly key: string }) => limits.sctp !== undefined && key.endsWith('/SCTP');
    assert.deepEqual(
      refused.filter((each) => !isExcused(each)),
      [],
    );
    const held = (frontends: readonly Frontend[]) => byKey(frontends.filter((frontend) => !isExcused(frontend)));
    assert.deepEqual(held(await node.dump()), held(cluster.frontends(name)), `what is in force on node ${name}`);
  };
  const { A, B } = subject.nodes;
  await Promise.all([become('A', A), ...(B === undefined ? [] : [become('B', B)])]);
}

function byKey(frontends: readonly Frontend[]): Frontend[] {
  return [...frontends].sort((a, b) => (a.key < b.key ? -1 : 1));
}
