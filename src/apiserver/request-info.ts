/** What a request asks for, read from its method, path and query alone (Kubernetes' RequestInfo). */
export type RequestInfo = ResourceRequest | PathRequest;

/** `/api/v1/…` and `/apis/<group>/<version>/…`. Nothing says yet that the resource exists. */
export interface ResourceRequest {
  readonly type: 'resource';
  readonly verb: ApiVerb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  /** Undefined for cluster-wide requests. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** Path segments behind the subresource, such as a proxy's path. */
  readonly rest: readonly string[];
}

/** Everything else: discovery, health, version. `verb` is the method in lower case, as authorization sees it. */
export interface PathRequest {
  readonly type: 'path';
  readonly verb: string;
  readonly path: string;
}

export type ApiVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** Namespaced subresources of Namespace itself, so that `/namespaces/x/finalize` is not a resource `finalize` in x. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

/** Reads a request line. `path` is without query, still percent-encoded. Throws URIError on a broken encoding. */
export function parseRequest(method: string, path: string, query: URLSearchParams): RequestInfo {
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeURIComponent);
  const asPath: PathRequest = { type: 'path', verb: method.toLowerCase(), path };
  const [root, ...rest] = segments;
  if (root === 'api' && rest.length >= 2)
    return resourceRequest(method, '', rest[0] ?? '', rest.slice(1), query) ?? asPath;
  if (root === 'apis' && rest.length >= 3) {
    return resourceRequest(method, rest[0] ?? '', rest[1] ?? '', rest.slice(2), query) ?? asPath;
  }
  return asPath;
}

interface Located {
  readonly namespace?: string;
  readonly parts: readonly string[];
}

function resourceRequest(
  method: string,
  group: string,
  version: string,
  segments: readonly string[],
  query: URLSearchParams,
): ResourceRequest | undefined {
  const { namespace, parts } = locate(segments);
  const [resource, name, subresource, ...rest] = parts;
  if (resource === undefined) return undefined;
  const verb = verbOf(method, name, query);
  if (verb === undefined) return undefined;
  return { type: 'resource', verb, group, version, resource, subresource, namespace, name, rest };
}

/** Splits `namespaces/<ns>/<resource>/…` from cluster-wide paths; `namespaces/<name>` is the Namespace itself. */
function locate(segments: readonly string[]): Located {
  const [first, namespace, third] = segments;
  if (first !== 'namespaces' || namespace === undefined) return { parts: segments };
  if (third === undefined || namespaceSubresources.has(third)) return { namespace, parts: segments };
  return { namespace, parts: segments.slice(2) };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): ApiVerb | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (name !== undefined && !isWatch(query)) return 'get';
      return isWatch(query) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}

/** `watch=true`, `watch=1` or a bare `watch`. */
export function isWatch(query: URLSearchParams): boolean {
  return isTrue(query, 'watch');
}

/** A boolean query parameter as Kubernetes reads it: there and neither `false` nor `0`. */
export function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== 'false' && value !== '0';
}
