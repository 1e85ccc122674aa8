import { ApiError } from '../../api/errors.ts';
import type { OwnerReference } from '../../api/meta/object-meta.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../client/client.ts';
import { readText } from '../../client/read-body.ts';

/** An object of any kind, as JSON. */
export interface AnyObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: AnyMetadata;
  readonly [field: string]: unknown;
}

/** The part of every object's metadata that commands look at. */
export interface AnyMetadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generateName?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly [field: string]: unknown;
}

/** One request and its JSON answer. Throws `ApiError` for every status from 400, `TransportError` when none came. */
export async function requestJson<T>(transport: Transport, request: TransportRequest): Promise<T> {
  const response = await requestOk(transport, request);
  return JSON.parse(await readText(response.body)) as T;
}

/** Like `requestJson`, with the texts of the server's `Warning` headers (RFC 7234 5.5, code 299). */
export async function requestWithWarnings<T>(
  transport: Transport,
  request: TransportRequest,
): Promise<{ readonly value: T; readonly warnings: readonly string[] }> {
  const response = await requestOk(transport, request);
  const value = JSON.parse(await readText(response.body)) as T;
  const header = response.headers['warning'] ?? '';
  const warnings = [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replace(/\\(.)/g, '$1'),
  );
  return { value, warnings };
}

/** One request whose answer is not an error; the body is still to be read. Throws like `requestJson`. */
export async function requestOk(transport: Transport, request: TransportRequest): Promise<TransportResponse> {
  const response = await transport.request(request);
  if (response.status < 400) return response;
  throw new ApiError(parseStatus(response.status, await readText(response.body)));
}

function parseStatus(code: number, text: string): ConstructorParameters<typeof ApiError>[0] {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === 'object' && status !== null && 'kind' in status && status.kind === 'Status') {
      return status as ConstructorParameters<typeof ApiError>[0];
    }
  } catch {
    // Not JSON: a proxy or another server answered.
  }
  const message = `the server answered ${code}: ${text.trim().slice(0, 200) || '(no text)'}`;
  return { metadata: {}, status: 'Failure', code, message };
}
