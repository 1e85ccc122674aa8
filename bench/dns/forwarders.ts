import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram } from '../load/services.ts';
import { dnsmasq, knot, type Peer, unbound } from './debian-servers.ts';
import { randomFrom } from './names.ts';

/** The zone that everybody asks the same upstream server for. */
const outsideZone = 'example.net';
export const upstreamPort = 5310;
/** Names that stay in every cache, and as many answers as dnsmasq keeps for one of ours: it counts them alike. */
const keptHosts = 5000;
const keptMissing = 1000;

/** Lines for dnsperf about names that can be kept for an hour; the share of those that do not exist is 0-1. */
export function keptQuestions(count: number, missingShare: number): string {
  const random = randomFrom(2);
  const lines = Array.from({ length: count }, () =>
    random() < missingShare
      ? `missing-${Math.floor(random() * keptMissing)}.kept.${outsideZone} A\n`
      : `host-${Math.floor(random() * keptHosts)}.kept.${outsideZone} A\n`,
  );
  return lines.join('');
}

/** Each name once: for the first time that they are asked. */
export function everyKeptQuestion(): string {
  const hosts = Array.from({ length: keptHosts }, (_, at) => `host-${at}.kept.${outsideZone} A\n`);
  const missing = Array.from({ length: keptMissing }, (_, at) => `missing-${at}.kept.${outsideZone} A\n`);
  return [...hosts, ...missing].join('');
}

/** Lines for dnsperf about names that nobody may keep (TTL 0). */
export function freshQuestions(count: number): string {
  return Array.from({ length: count }, (_, at) => `name-${at}.fresh.${outsideZone} A\n`).join('');
}

/** The server that knows the names. */
export function upstreamOf(folder: string): Peer {
  const run = join(folder, 'upstream');
  mkdirSync(run);
  const hosts = Array.from({ length: keptHosts }, (_, at) => `host-${at}.kept 3600 A 192.0.2.${at % 256}\n`);
  const head = `$ORIGIN ${outsideZone}.\n$TTL 3600\n@ SOA ns hostmaster 1 7200 1800 86400 3600\n@ NS ns\nns A 192.0.2.1\n`;
  writeFileSync(join(run, 'zone'), `${head}*.fresh 0 A 192.0.2.2\n${hosts.join('')}`);
  return knot({ name: 'upstream', folder: run, port: upstreamPort }, outsideZone);
}

/** Servers of Debian that ask the same upstream and keep its answers, on one thread. */
export function forwardersIn(folder: string): Peer[] {
  const forward = ['forward-zone:', '  name: "."', `  forward-addr: 127.0.0.1@${upstreamPort}`];
  const all = [
    unbound({ name: 'unbound', folder, port: 5311 }, ['  do-not-query-localhost: no'], forward),
    dnsmasq({ name: 'dnsmasq', folder, port: 5312 }, [
      `server=127.0.0.1#${upstreamPort}`,
      'cache-size=10000',
      // As many as the generator has under way: the default of 150 would have it refuse some.
      'dns-forward-max=1000',
    ]),
  ];
  return all.filter(({ command }) => hasProgram(command[0] ?? ''));
}
