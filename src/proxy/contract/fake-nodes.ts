import { parseBackendName } from '../backend-name.ts';
import { createFakePlane, type FakePlane } from '../fake.ts';
import type { HostTask } from './hosts.ts';
import { type ContractNode, createNode } from './node.ts';
import { targetPort } from './server.ts';
import type { Subject } from './subject.ts';
import { families, type HostName, type NodeName, nodeNames, nodeOf, podNames, twoNodeWorld } from './world.ts';

type CallTask = HostTask & { readonly kind: 'call' };

/** A connection or socket that was left open. */
interface FakeCall {
  readonly task: CallTask;
  /** `NAME ADDRESS-SEEN`, or what came of it instead. */
  readonly text: string;
  /** The plane's part in it; undefined for a call that no plane took. */
  readonly taken?: { readonly plane: FakePlane; readonly key: string; readonly backend: string; end(): void };
}

/** Two nodes without packets: their fake planes are asked in the order in which packets would meet the nodes. */
export function openFakeNodes(): Subject {
  const nodes = { A: new FakeNode('A'), B: new FakeNode('B') };
  const held = new Map<string, FakeCall>();
  return {
    world: twoNodeWorld,
    nodes: { A: nodes.A.node, B: nodes.B.node },
    async perform(from, task) {
      if (task.kind === 'call')
        return callOften(nodes, from, task, (call, time) =>
          held.set(`${from} ${task.hold}${time === task.times - 1 ? '' : ` ${time}`}`, call),
        );
      if (task.kind === 'again') return [speakOn(nodes, from, held.get(`${from} ${task.hold}`))];
      if (task.kind === 'get') return [nodes[nodeFor(task.address)].health(task.port)];
      if (task.kind === 'release') {
        for (const call of held.values()) call.taken?.end();
        held.clear();
      }
      return [];
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** A node with a fake plane, and health checks that can be read. */
class FakeNode {
  readonly node: ContractNode;
  readonly #checks = new Map<string, { readonly port: number; readonly localEndpoints: number }>();
  #plane: FakePlane | undefined;

  constructor(name: NodeName) {
    const addresses = families.flatMap((family) => [twoNodeWorld.addresses[family][name], localhost(family)]);
    this.node = createNode(
      async (network) => (this.#plane = createFakePlane(network, addresses)),
      () => ({
        apply: ({ healthChecks, healthChecksRemoved }) => {
          for (const service of healthChecksRemoved) this.#checks.delete(service);
          for (const check of healthChecks) this.#checks.set(check.service, check);
        },
        [Symbol.dispose]: () => this.#checks.clear(),
      }),
    );
  }

  get plane(): FakePlane {
    if (this.#plane === undefined) throw new Error('the node has not been opened');
    return this.#plane;
  }

  health(port: number): string {
    const check = [...this.#checks.values()].find((each) => each.port === port);
    if (check === undefined) return 'refused';
    return `${check.localEndpoints > 0 ? 200 : 503} {"localEndpoints":${check.localEndpoints},}`;
  }
}

type FakeNodes = Readonly<Record<NodeName, FakeNode>>;

function callOften(
  nodes: FakeNodes,
  from: HostName,
  task: CallTask,
  hold: (call: FakeCall, time: number) => void,
): string[] {
  const texts: string[] = [];
  for (let time = 0; time < task.times; time += 1) {
    const call = callOnce(nodes, from, task);
    texts.push(call.text);
    if (task.hold === undefined) call.taken?.end();
    else hold(call, time);
  }
  return texts;
}

/** The caller's node sees the packet first, then the node that it is for. */
function callOnce(nodes: FakeNodes, from: HostName, task: CallTask): FakeCall {
  const family = task.address.includes(':') ? 'IPv6' : 'IPv4';
  const own = twoNodeWorld.addresses[family][from];
  const first = nodeOf(from);
  const path = new Set<NodeName>(
    task.address === localhost(family) ? [first ?? 'A'] : [first ?? nodeFor(task.address), nodeFor(task.address)],
  );
  for (const name of path) {
    const { plane } = nodes[name];
    const result = plane.connect(from === name ? undefined : own, task.address, task.port, task.protocol);
    if (result === 'untouched') continue;
    if (result === 'refused') return { task, text: 'refused' };
    if (result === 'ignored') return { task, text: 'timeout' };
    const { backend, key, isMasqueraded, end } = result;
    const seen = isMasqueraded ? twoNodeWorld.addresses[family][name] : own;
    return {
      task,
      text: `${serverAt(parseBackendName(backend))} ${seen}`,
      taken: { plane, key, backend, end },
    };
  }
  const isMachine = task.address === localhost(family) || machineAt(task.address) !== undefined;
  const server = machineAt(task.address) && task.port === targetPort ? serverAt(task) : undefined;
  return { task, text: server === undefined ? (isMachine ? 'refused' : 'timeout') : `${server} ${own}` };
}

/** A UDP socket goes where its frontend leads now; TCP stays with its backend unless it is reset. */
function speakOn(nodes: FakeNodes, from: HostName, call: FakeCall | undefined): string {
  const { task, taken, text } = call ?? {};
  if (task === undefined || text === undefined) return 'nothing held';
  if (taken?.plane.forwardsTo(taken.key, taken.backend) === true) return text;
  if (task.protocol === 'UDP') return callOnce(nodes, from, task).text;
  return taken?.plane.resets(taken.key) === true ? 'reset' : text;
}

function serverAt({ address, port }: { readonly address: string; readonly port: number }): string {
  const name = machineAt(address) ?? address;
  return port === targetPort ? name : `${name}:${port}`;
}

function machineAt(address: string): HostName | undefined {
  const isAt = (name: HostName) => families.some((family) => twoNodeWorld.addresses[family][name] === address);
  return [...nodeNames, ...podNames, 'outside' as const].find(isAt);
}

/** The node that packets for an address reach. */
function nodeFor(address: string): NodeName {
  const machine = machineAt(address);
  const isOfB = families.some((family) => twoNodeWorld.addresses[family]['balancer-B'] === address);
  return (machine && nodeOf(machine)) ?? (isOfB ? 'B' : 'A');
}

function localhost(family: 'IPv4' | 'IPv6'): string {
  return twoNodeWorld.addresses[family].localhost;
}
