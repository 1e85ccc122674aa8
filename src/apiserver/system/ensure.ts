import { isJsonObject, sameJson } from '../../lib/json.ts';
import type { InProcess, InProcessRequest } from '../http/in-process.ts';
import type { SystemObject } from './system-objects.ts';

/** Creates what is not there and puts right what differs in owned fields. Throws when the server refuses. */
export async function ensureSystemObjects(transport: InProcess, objects: readonly SystemObject[]): Promise<void> {
  for (const each of objects) await ensure(transport, each);
}

async function ensure(transport: InProcess, { collection, object, owned = [] }: SystemObject): Promise<void> {
  const path = `${collection}/${object.metadata.name}`;
  const found = await call(transport, { method: 'GET', path });
  if (found.status === 404) {
    const created = await call(transport, { method: 'POST', path: collection, body: JSON.stringify(object) });
    if (created.status !== 201 && created.status !== 409)
      throw new Error(`cannot create ${path}: ${describe(created.body)}`);
    return;
  }
  if (found.status !== 200 || !isJsonObject(found.body))
    throw new Error(`cannot read ${path}: ${describe(found.body)}`);
  const wanted = new Map(Object.entries(object));
  const current = found.body;
  const differing = owned.filter((field) => !sameJson(current[field], wanted.get(field)));
  if (differing.length === 0) return;
  const body = JSON.stringify({
    ...current,
    ...Object.fromEntries(differing.map((field) => [field, wanted.get(field)])),
  });
  const updated = await call(transport, { method: 'PUT', path, body });
  if (updated.status !== 200 && updated.status !== 409)
    throw new Error(`cannot update ${path}: ${describe(updated.body)}`);
}

async function call(
  transport: InProcess,
  request: InProcessRequest,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const response = await transport.request({ ...request, headers });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { status: response.status, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
}

function describe(body: unknown): string {
  return isJsonObject(body) && typeof body['message'] === 'string' ? body['message'] : JSON.stringify(body);
}
