import { setTimeout as delay } from 'node:timers/promises';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { HostNetwork } from '../src/proxy/contract/host-network.ts';
import type { Host } from '../src/proxy/contract/hosts.ts';
import { serviceAddress } from './load/objects.ts';
import { type Api, ProxyFolder, startApi } from './load/processes.ts';
import type { BenchResult } from './result.ts';

const services = 10_000;
const endpoints = 2;
const rounds = 5;
/** Services that are called: 0 is over UDP, the last one is changed while there is no proxy. */
const called = 20;
const changed = called + 1;
const servers = { server1: '10.128.0.11', server2: '10.128.0.12' } as const;
const gateways = ['10.128.0.1', 'fd00::1'] as const;
/** Together about 1,000 calls a second: the load has to leave room for the proxy on two processors. */
const callers = 6;
const pauseMs = 5;

/** What came of the calls that were made all the while. */
interface Tally {
  answered: number;
  readonly lost: string[];
}

/**
 * The proxy is killed (SIGKILL) and started again, several times, at 10,000 Services, while Pods go on calling
 * Services: new TCP connections, new UDP sockets, one TCP connection and one UDP socket that stay. Every answer is checked.
 * While there is no proxy an endpoint is replaced: stale is the time from the start of the new process until a call is
 * answered by the new endpoint.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  await using network = new HostNetwork([
    { name: 'caller', addresses: ['10.128.0.2'], gateways },
    { name: 'holder', addresses: ['10.128.0.3'], gateways },
    { name: 'streamer', addresses: ['10.128.0.4'], gateways },
    { name: 'server1', addresses: [servers.server1], gateways },
    { name: 'server2', addresses: [servers.server2], gateways },
  ]);
  for (const [name, address] of Object.entries(servers)) await network.host(name).serve(address, 8080);
  await using api = await startApi(services, endpoints);
  for (let number = 0; number < changed; number += 1) {
    api.change({ number, addresses: Object.values(servers) });
  }
  api.change({ number: changed, addresses: [servers.server1] });
  return await measure(network, api);
}

async function measure(network: HostNetwork, api: Api): Promise<BenchResult> {
  using folder = new ProxyFolder(api);
  let proxy = folder.start('nftables');
  await proxy.programmed();
  const tally: Tally = { answered: 0, lost: [] };
  const stop = new AbortController();
  const load = startLoad(network, tally, stop.signal);
  const stale: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await proxy.end('SIGKILL');
    const next = round % 2 === 0 ? 'server2' : 'server1';
    api.change({ number: changed, addresses: [servers[next]] });
    proxy = folder.start('nftables');
    await answeredBy(network.host('caller'), next, tally);
    stale.push(performance.now() - proxy.startedAtMs);
    await proxy.programmed();
  }
  stop.abort();
  await load;
  await proxy.end('SIGTERM');
  const slowestMs = Math.max(...stale);
  for (const text of tally.lost.slice(0, 5)) console.error(`lost: ${text}`);
  return {
    bench: 'restart',
    figures: { lost: tally.lost.length, answered: tally.answered, restarts: rounds, staleMs: slowestMs },
    unit: 'calls, ms',
    target: 'nothing lost, at most 1,500 ms stale, at 10,000 Services',
    met: tally.lost.length === 0 && slowestMs <= 1_500,
  };
}

/** Calls until the signal aborts. */
async function startLoad(network: HostNetwork, tally: Tally, signal: AbortSignal): Promise<void> {
  const note = (what: string, answer: string): void => {
    if (/^server[12] /.test(answer)) tally.answered += 1;
    else tally.lost.push(`${what}: ${answer}`);
  };
  const repeat = async (what: string, call: (time: number) => Promise<string>): Promise<void> => {
    for (let time = 0; !signal.aborted; time += 1) {
      note(what, await call(time));
      await delay(pauseMs);
    }
  };
  const [caller, holder, streamer] = ['caller', 'holder', 'streamer'].map((name) => network.host(name)) as [
    Host,
    Host,
    Host,
  ];
  const tcp = (time: number): Promise<string> => caller.call(serviceAddress(1 + (time % (called - 1))), 80, false);
  note('first TCP', await holder.hold(serviceAddress(1), 80, false));
  note('first UDP', await streamer.hold(serviceAddress(0), 80, true));
  await Promise.all([
    ...Array.from({ length: callers }, (_, at) => repeat('new TCP connection', (time) => tcp(time * callers + at))),
    repeat('new UDP socket', () => caller.call(serviceAddress(0), 80, true)),
    repeat('kept TCP connection', () => holder.again()),
    repeat('kept UDP socket', () => streamer.again()),
  ]);
}

/** Calls the changed Service until the server answers it that should; every call must be answered by one of them. */
async function answeredBy(caller: Host, server: string, tally: Tally): Promise<void> {
  for (;;) {
    const answer = await caller.call(serviceAddress(changed), 80, false);
    if (answer.startsWith(server)) return;
    if (!/^server[12] /.test(answer)) tally.lost.push(`changed Service: ${answer}`);
    await delay(pauseMs);
  }
}

if (import.meta.main) {
  console.log(JSON.stringify(await run()));
  process.exit();
}
