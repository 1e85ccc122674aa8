import { isDeepStrictEqual } from 'node:util';
import type { Feature } from '../limits.ts';
import type { Again, Connect, Expectation } from './case.ts';
import { type Family, type HostName, isPod, nodeOf, type World } from './world.ts';

/** One statement about what came of a call. */
export interface Check {
  /** What a plane must be able to do for it. */
  readonly needs: readonly Feature[];
  /** What is wrong; undefined when it is as expected. */
  readonly problem: string | undefined;
  /** Nothing but a plane that can do it makes it so; refusals come by themselves. */
  readonly isEvidence: boolean;
  /** The same against what a plane without the needs does instead; undefined when nothing is said about that. */
  readonly insteadProblem?: { readonly problem: string | undefined };
}

/** Compares what came of a call, one answer for each time, with what the case says. Pure. */
export function checkAnswers(
  world: World,
  family: Family,
  call: Connect | Again,
  answers: readonly string[],
): readonly Check[] {
  const needs = needsOf(call, family);
  const servers = checkServers(call, call.expect, answers);
  const instead = call.instead && { insteadProblem: { problem: checkServers(call, call.instead, answers) } };
  const checks: Check[] = [{ needs, problem: servers, isEvidence: call.expect !== 'refused', ...instead }];
  // What servers saw means nothing when they were not the right ones.
  if (servers !== undefined) return checks;
  if ('shares' in call && call.shares !== undefined) {
    checks.push({ needs, problem: checkShares(call.shares, answers), isEvidence: true });
  }
  if ('source' in call && call.source !== undefined) {
    const features: readonly Feature[] = call.source === 'kept' ? ['client-address'] : (call.sourceNeeds ?? []);
    checks.push({
      needs: [...needs, ...features],
      problem: checkSource(world, family, call, answers),
      isEvidence: true,
    });
  }
  return checks;
}

/** What a call needs of a plane: what it says, and what can be seen from it. */
export function needsOf(call: Connect | Again, family: Family): readonly Feature[] {
  const needs: Feature[] = [...(call.needs ?? [])];
  const isFar = (host: string) => host === 'B' || host === 'outside' || (isPod(host) && nodeOf(host) === 'B');
  if (isFar(call.from)) needs.push('outside-callers');
  if (family === 'IPv6') needs.push('ipv6');
  if (call.expect === 'timeout') needs.push('drop');
  if ('protocol' in call && call.protocol === 'SCTP') needs.push('sctp');
  return needs;
}

function checkServers(call: Connect | Again, expected: Expectation, answers: readonly string[]): string | undefined {
  if (typeof expected === 'string') {
    return answers.every((answer) => isOutcome(answer, expected))
      ? undefined
      : `${summary(answers)} instead of ${expected}`;
  }
  const servers = answers.map((answer) => answer.split(' ')[0] ?? '');
  const met = [...new Set(servers)].sort();
  const isSticky = 'isSticky' in call && call.isSticky === true;
  if (!met.every((server) => expected.includes(server))) return `${summary(answers)}: not only ${expected.join(', ')}`;
  if (isSticky) return met.length === 1 ? undefined : `${summary(answers)}: not from one server`;
  const isComplete = !('times' in call) || (call.times ?? 1) < 10 || isDeepStrictEqual(met, [...expected].sort());
  return isComplete ? undefined : `${summary(answers)}: not from all of ${expected.join(', ')}`;
}

/** A caller whose own system ended the connection hears of it as ECONNABORTED. */
export function isOutcome(answer: string, expected: string): boolean {
  return answer === expected || (expected === 'reset' && answer.endsWith(' ECONNABORTED'));
}

/** Bounds that a right plane leaves less than once in thirty thousand tries of 150 calls (4.2 standard deviations). */
const tolerance = 0.15;

function checkShares(shares: Readonly<Record<string, number>>, answers: readonly string[]): string | undefined {
  const isFair = Object.entries(shares).every(([server, share]) => {
    const found = answers.filter((answer) => answer.split(' ')[0] === server).length / answers.length;
    return Math.abs(found - share) < tolerance;
  });
  return isFair ? undefined : `${summary(answers)}: shares are not ${JSON.stringify(shares)}`;
}

function checkSource(world: World, family: Family, call: Connect, answers: readonly string[]): string | undefined {
  const own = world.addresses[family][call.from];
  const seen = answers.map((answer) => answer.split(' ')[1]);
  const isRight = seen.every((address) => (address === own) === (call.source === 'kept'));
  return isRight ? undefined : `servers saw ${[...new Set(seen)].join(', ')}, the caller is ${own}: not ${call.source}`;
}

/** `12 × b1 192.0.2.1, 3 × timeout`. */
function summary(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].map(([answer, count]) => `${count} × ${answer}`).join(', ');
}

/** How a problem names its call. */
export function describeCall(call: Connect | Again, family: Family): string {
  if ('again' in call) return `${call.from} again over ${call.again} (${family})`;
  const { from, to, port, protocol = 'TCP' } = call satisfies { readonly from: HostName };
  return `${from} to ${to}${port === undefined ? '' : `:${port}`} over ${protocol} (${family})`;
}
