import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deployment } from '../../api/apps/deployment.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { ApiError } from '../../api/errors.ts';
import type { Kind } from '../../api/schema.ts';
import type { JsonObject } from '../../lib/json.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

const pod = (...containers: unknown[]): JsonObject => ({ spec: { containers } });
const a = { name: 'a', image: 'a:1' };
const b = { name: 'b', image: 'b:1' };
const c = { name: 'c', image: 'c:1' };

interface Case {
  readonly kind?: Kind;
  readonly document: JsonObject;
  readonly patch: JsonObject;
  readonly expected: JsonObject;
}

const cases: Readonly<Record<string, Case>> = {
  'kubectl set image changes one container and keeps the order': {
    document: pod(a, b, c),
    patch: {
      spec: {
        '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
        containers: [{ name: 'b', image: 'b:2' }],
      },
    },
    expected: pod(a, { ...b, image: 'b:2' }, c),
  },
  'kubectl edit puts a new container where the user wrote it': {
    document: pod(a, c),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }], containers: [b] } },
    expected: pod(b, c, a),
  },
  'an element that only the server knows stays before what it was before': {
    document: pod(a, { name: 'injected' }, c),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }] } },
    expected: pod({ name: 'injected' }, c, a),
  },
  'kubectl apply removes a container that left the manifest': {
    document: pod(a, b, c),
    patch: {
      spec: {
        '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }],
        containers: [{ $patch: 'delete', name: 'b' }],
      },
    },
    expected: pod(a, c),
  },
  'an element with an unknown key joins the list': { document: pod(a), patch: pod(b), expected: pod(b, a) },
  'null removes a field of an element': {
    document: pod({ ...a, command: ['x'] }),
    patch: pod({ name: 'a', command: null }),
    expected: pod(a),
  },
  'nulls in new objects are dropped': {
    document: {},
    patch: { spec: { nodeName: null, securityContext: { runAsUser: null, runAsGroup: 1 } } },
    expected: { spec: { securityContext: { runAsGroup: 1 } } },
  },
  'lists without a merge key are replaced': {
    document: pod({ ...a, args: ['1', '2'] }),
    patch: pod({ name: 'a', args: ['3'] }),
    expected: pod({ ...a, args: ['3'] }),
  },
  'an element may be replaced': {
    document: pod({ ...a, args: ['1'] }),
    patch: pod({ name: 'a', $patch: 'replace' }),
    expected: pod(),
  },
  'a whole list may be replaced': {
    document: pod(a, b),
    patch: pod({ $patch: 'replace' }, c),
    expected: pod(c),
  },
  'a whole object may be replaced': {
    document: { metadata: { labels: { a: '1', b: '2' } } },
    patch: { metadata: { labels: { $patch: 'replace', c: '3' } } },
    expected: { metadata: { labels: { c: '3' } } },
  },
  'a whole object may be emptied': {
    document: { metadata: { labels: { a: '1' } } },
    patch: { metadata: { labels: { $patch: 'delete' } } },
    expected: { metadata: { labels: {} } },
  },
  'finalizers merge as a set': {
    document: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { finalizers: ['b', 'c'] } },
    expected: { metadata: { finalizers: ['a', 'b', 'c'] } },
  },
  'values are deleted from a set, and the rest ordered': {
    document: { metadata: { finalizers: ['a', 'b', 'c'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'], '$setElementOrder/finalizers': ['c', 'a'] } },
    expected: { metadata: { finalizers: ['c', 'a'] } },
  },
  'owner references merge by uid': {
    document: { metadata: { ownerReferences: [{ uid: '1', name: 'x' }] } },
    patch: {
      metadata: {
        ownerReferences: [
          { $patch: 'delete', uid: '1' },
          { uid: '2', name: 'y' },
        ],
      },
    },
    expected: { metadata: { ownerReferences: [{ uid: '2', name: 'y' }] } },
  },
  'retained keys drop the other members of a union': {
    kind: Deployment,
    document: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    expected: { spec: { strategy: { type: 'Recreate' } } },
  },
  'Service ports merge by port, the first of two that share it': {
    kind: Service,
    document: {
      spec: {
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    },
    patch: { spec: { ports: [{ port: 53, name: 'dns' }] } },
    expected: {
      spec: {
        ports: [
          { port: 53, protocol: 'UDP', name: 'dns' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    },
  },
  'unknown fields merge as objects and replace as lists': {
    document: { unknown: { a: [1, 2], b: 1 } },
    patch: { unknown: { a: [3] } },
    expected: { unknown: { a: [3], b: 1 } },
  },
  'an object takes the place of a scalar': {
    document: { spec: 'x' },
    patch: { spec: { nodeName: 'n' } },
    expected: { spec: { nodeName: 'n' } },
  },
};

describe('a strategic merge patch', () => {
  for (const [what, { kind = Pod, document, patch, expected }] of Object.entries(cases)) {
    it(what, () => {
      const before = structuredClone(document);
      assert.deepEqual(applyStrategicMergePatch(kind, document, patch), expected);
      assert.deepEqual(document, before);
    });
  }

  const malformed: Readonly<Record<string, unknown>> = {
    'that is no object': [],
    'with an unknown directive': { spec: { $patch: 'merge' } },
    'with an element that lacks its merge key': pod({ image: 'x' }),
    'with a scalar among objects': pod('x'),
    'with an unknown directive in an element': pod({ name: 'a', $patch: 'merge' }),
    'with keys to retain that are no list': { spec: { $retainKeys: 'x' } },
    'that sets what it does not retain': { spec: { $retainKeys: ['nodeName'], hostNetwork: true } },
    'with an order that is no list': { spec: { containers: [a], '$setElementOrder/containers': 'a' } },
  };
  for (const [what, patch] of Object.entries(malformed)) {
    it(`${what} is refused`, () => {
      assert.throws(
        () => applyStrategicMergePatch(Pod, pod(a), patch),
        (error) => error instanceof ApiError && error.code === 400,
      );
    });
  }
});
