import type { Kind } from '../api/schema.ts';
import type { Identity } from './auth/identity.ts';
import type { Form } from './cache/form.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';

/** A request as the transport hands it over; HTTPS and in-process look the same from here on. */
export interface Incoming {
  readonly method: string;
  /** Without query, percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The whole body. Throws `ApiError` 413 past the limit. */
  readBody(): Promise<Uint8Array>;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
  /** Who the transport proved the peer to be; `invalid` when it presented a certificate that does not verify. */
  readonly peer: Identity | 'invalid' | undefined;
}

/** One request on its way down the chain. Steps fill it in; what a step needs, an earlier one has set. */
export interface Exchange {
  readonly request: Incoming;
  readonly info: RequestInfo;
  /** Set by `authenticate`. */
  identity: Identity;
  /** Sent as `Warning` headers, each once. */
  readonly warnings: string[];
}

/** An exchange about a resource that exists. */
export interface ResourceExchange extends Exchange {
  readonly info: ResourceRequest;
  readonly kind: Kind;
  /** How the client wants objects. */
  readonly form: Form;
}
