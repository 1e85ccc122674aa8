import assert from 'node:assert/strict';
import { it } from 'node:test';
import { clusterIpBand, nodePortBand, pickFree } from './bands.ts';

it('has the band sizes of KEP-3070 and KEP-3668', () => {
  const sizes: readonly (readonly [number, number, number])[] = [
    [8, 0, 0],
    [16, 0, 0],
    [20, 16, 16],
    [254, 16, 16],
    [1022, 63, 31],
    [2768, 173, 86],
    [65_534, 256, 128],
  ];
  for (const [size, ips, ports] of sizes)
    assert.deepEqual([clusterIpBand(size), nodePortBand(size)], [ips, ports], `${size}`);
});

it('takes from behind the band first, and from the band when nothing else is left', () => {
  const taken = new Set<number>();
  const picks: (number | undefined)[] = [];
  for (let count = 0; count < 6; count++) {
    const index = pickFree(
      5,
      2,
      (at) => !taken.has(at),
      () => 0.5,
    );
    picks.push(index);
    if (index !== undefined) taken.add(index);
  }
  assert.deepEqual(picks, [3, 4, 2, 1, 0, undefined]);
  assert.equal(
    pickFree(
      0,
      0,
      () => true,
      () => 0,
    ),
    undefined,
  );
});
