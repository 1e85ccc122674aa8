import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { ApiError } from '../api/errors.ts';
import { TransportError, type Transport } from './client.ts';
import { createClient } from './rest-client.ts';

/** A server whose watch says this. */
function says(text: string): Transport {
  async function* body() {
    yield Buffer.from(text);
  }
  return {
    request: async () => ({ status: 200, headers: {}, body: body() }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function watched(text: string): Promise<unknown> {
  const { signal } = new AbortController();
  return Array.fromAsync(createClient(says(text)).watch(ConfigMap, { signal }));
}

test('a line of a watch that is no event is a transport error', async () => {
  const lines = [
    'null',
    '{}',
    '7',
    '[]',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{}}',
    '{"type":"NEW","object":{"metadata":{}}}',
  ];
  for (const line of lines) await assert.rejects(watched(line), TransportError, line);
});

test('an error event is an API error, whatever it holds', async () => {
  for (const line of [
    '{"type":"ERROR"}',
    '{"type":"ERROR","object":null}',
    '{"type":"ERROR","object":{"kind":"Status"}}',
  ]) {
    await assert.rejects(watched(line), ApiError, line);
  }
});
