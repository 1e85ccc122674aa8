import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSigningKey } from '../pki/certificate.ts';
import { createTokens } from './tokens.ts';

const issuer = 'https://kubernetes.default.svc.cluster.local';
const subject = { namespace: 'shop', serviceAccount: { name: 'robot', uid: 'u1' } };

test('a token says who it is for until it expires', async () => {
  const tokens = createTokens(await createSigningKey(), issuer);
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  const token = await tokens.issue({ subject, audiences: [], lifetimeSeconds: 600, nowMs });
  const verified = await tokens.verify(token, nowMs + 599_000);
  assert.equal(verified?.subject.serviceAccount.uid, 'u1');
  assert.equal(await tokens.verify(token, nowMs + 600_000), undefined);
});

test('a token for others, of another key or changed is refused', async () => {
  const tokens = createTokens(await createSigningKey(), issuer);
  const others = createTokens(await createSigningKey(), issuer);
  const nowMs = Date.now();
  const token = await tokens.issue({ subject, audiences: ['vault'], lifetimeSeconds: 600, nowMs });
  assert.equal(await tokens.verify(token, nowMs), undefined);
  assert.deepEqual((await tokens.verify(token, nowMs, ['vault']))?.audiences, ['vault']);
  assert.equal(await others.verify(token, nowMs, ['vault']), undefined);
  assert.equal(await tokens.verify(`${token.slice(0, -4)}AAAA`, nowMs, ['vault']), undefined);
});
