import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharesOf } from './shares.ts';

/** A queue of 10,000 datagrams, read at 100,000 a second, looked at every 20 ms while clients send so many a second. */
function simulate(ratesPerSecond: readonly number[], looks: number) {
  const [most, perLook] = [10_000, 2000];
  let queue = ratesPerSecond.map(() => 0);
  let shares = ratesPerSecond.map(() => 1);
  let answered = ratesPerSecond.map(() => 0);
  for (let look = 0; look < looks; look += 1) {
    const arriving = ratesPerSecond.map((rate, at) => (rate / 50) * (shares[at] ?? 1));
    const queued = sum(queue);
    const fits = Math.min(1, Math.max(0, (most + perLook - queued) / sum(arriving)));
    const waiting = queue.map((count, at) => count + (arriving[at] ?? 0) * fits);
    const read = Math.min(1, perLook / sum(waiting));
    const counts = waiting.map((count) => count * read);
    queue = waiting.map((count, at) => count - (counts[at] ?? 0));
    const dropped =
      sum(arriving) * (1 - fits) + sum(ratesPerSecond.map((rate, at) => (rate / 50) * (1 - (shares[at] ?? 1))));
    shares = sharesOf(
      counts.map((count, at) => ({ count, share: shares[at] ?? 1 })),
      { waiting: sum(queue), most, dropped },
    );
    if (look >= looks / 2) answered = answered.map((count, at) => count + (counts[at] ?? 0));
  }
  const arrived = ratesPerSecond.map((rate) => (rate / 50) * (looks / 2));
  return {
    answered,
    ofWanted: answered.map((count, at) => count / (arrived[at] ?? 1)),
    shares,
    fill: sum(queue) / most,
    busy: sum(answered) / (perLook * (looks / 2)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

test('beside one that floods at five times what can be answered, those that ask little are answered', () => {
  const { ofWanted, busy } = simulate([500_000, 5000, 1000], 200);
  assert.ok(
    ofWanted.slice(1).every((share) => share > 0.98),
    String(ofWanted),
  );
  assert.ok(busy > 0.95, `the server does nothing ${Math.round((1 - busy) * 100)} % of the time`);
});

test('clients that all want too much are answered equally, whatever they want', () => {
  const { answered, busy } = simulate([400_000, 100_000, 60_000], 200);
  const [first = 0, ...others] = answered;
  for (const other of others) assert.ok(Math.abs(other / first - 1) < 0.1, String(answered));
  assert.ok(busy > 0.95);
});

test('nobody is cut while all can be answered', () => {
  assert.deepEqual(simulate([50_000, 20_000], 50).shares, [1, 1]);
});

test('a client alone that wants too much gets what can be answered, and the queue stays short for others', () => {
  const { busy, fill } = simulate([500_000], 200);
  assert.ok(busy > 0.95);
  assert.ok(fill < 0.5, String(fill));
});

test('who has stopped or asks little again is let in again', () => {
  const shares = sharesOf(
    [
      { count: 0, share: 0.85 },
      { count: 10, share: 0.9 },
      { count: 200, share: 1 },
    ],
    { waiting: 0, most: 10_000, dropped: 10 },
  );
  assert.deepEqual(shares.slice(0, 2), [1, 1]);
});
