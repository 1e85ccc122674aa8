import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CounterPlaces } from './counter-places.ts';

test('the lowest place that nobody has is given', () => {
  const places = new CounterPlaces([0, 1, 3]);
  assert.deepEqual([places.take(), places.take()], [2, 4]);
  places.free(1);
  assert.deepEqual([places.take(), places.take()], [1, 5]);
});

test('places that were taken for a change that failed are free again', () => {
  const places = new CounterPlaces([]);
  places.take();
  places.keep();
  places.take();
  places.take();
  places.giveBack();
  places.giveBack();
  assert.equal(places.take(), 1);
});
