import { createHash } from 'node:crypto';
import { noSuchPath } from '../api/errors.ts';
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  discoveryMediaType,
} from '../api/discovery.ts';
import type { DiscoveryVersion } from '../api/discovery.ts';
import { metricsContentType } from '../observe/metrics.ts';
import type { Exchange } from './exchange.ts';
import { serveHealth } from './discovery/health.ts';
import { serveOpenApi } from './discovery/openapi.ts';
import { versionInfo } from './discovery/version.ts';
import type { Reply } from './http/reply.ts';
import { jsonReply, objectReply, textReply, withHeaders } from './http/reply.ts';
import { parseAccept } from './negotiate.ts';
import type { Server } from './server.ts';

/** Answers everything that is not a resource. Undefined for resources. */
export function servePath(exchange: Exchange, server: Server): Reply | undefined {
  const { info, request } = exchange;
  if (info.type !== 'path') return undefined;
  const path = info.path.length > 1 ? info.path.replace(/\/+$/, '') : info.path;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw noSuchPath();
  const reply = serveDocument(path, exchange, server);
  if (reply === undefined) throw noSuchPath();
  return reply;
}

function serveDocument(path: string, exchange: Exchange, server: Server): Reply | undefined {
  const { request } = exchange;
  const [, root = ''] = path.split('/');
  switch (root) {
    case 'healthz':
    case 'livez':
    case 'readyz':
      return serveHealth(root, path.slice(root.length + 2), request.query, server);
    case 'version':
      return path === '/version' ? objectReply(200, versionInfo()) : undefined;
    case 'metrics':
      return path === '/metrics' ? serveMetrics(server) : undefined;
    case 'openapi':
      return serveOpenApi(path, request, server.openApi());
    case 'api':
    case 'apis':
      return serveDiscovery(path, exchange);
    case '':
      return objectReply(200, {
        paths: ['/api', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v3', '/readyz', '/version'],
      });
    default:
      return undefined;
  }
}

function serveMetrics(server: Server): Reply {
  for (const [name, resource] of server.cache.resources)
    server.metrics.storedObjects.set(resource.items.size, { resource: name });
  return textReply(200, server.registry.render(), metricsContentType);
}

function serveDiscovery(path: string, exchange: Exchange): Reply | undefined {
  const { request } = exchange;
  const [root, group, version, ...rest] = path.split('/').slice(1);
  if (rest.length > 0) return undefined;
  const document = root === 'api' ? coreDocument(group, version) : groupDocument(group, version);
  const part = root === 'api' ? 'core' : 'groups';
  const isRoot = group === undefined;
  const wanted = isRoot ? aggregatedVersion(request.headers['accept']) : undefined;
  if (wanted === undefined) return document && withETag(document, 'application/json', request.headers['if-none-match']);
  return withETag(aggregatedDiscovery(part, wanted), discoveryMediaType(wanted), request.headers['if-none-match']);
}

function coreDocument(version: string | undefined, rest: string | undefined): object | undefined {
  if (version === undefined) return apiVersions('127.0.0.1:6443');
  return rest === undefined ? apiResourceList({ group: '', version }) : undefined;
}

function groupDocument(group: string | undefined, version: string | undefined): object | undefined {
  if (group === undefined) return apiGroupList();
  return version === undefined ? apiGroup(group) : apiResourceList({ group, version });
}

/** The first aggregated format the client accepts before plain JSON. */
function aggregatedVersion(accept: string | undefined): DiscoveryVersion | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    const { g, v, as } = parameters;
    const isAggregated = g === 'apidiscovery.k8s.io' && as === 'APIGroupDiscoveryList';
    if (isAggregated && (v === 'v2' || v === 'v2beta1')) return v;
    if (type === 'application/json' && as === undefined) return undefined;
  }
  return undefined;
}

/** Clients keep discovery on disk and ask whether it changed. */
function withETag(document: object, mediaType: string, known: string | undefined): Reply {
  const body = Buffer.from(JSON.stringify(document));
  const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase().slice(0, 64)}"`;
  const headers = { etag, vary: 'Accept', 'cache-control': 'public' };
  if (known === etag) return { status: 304, headers, body: undefined };
  return withHeaders(jsonReply(200, body, mediaType), headers);
}
