import { createHash } from 'node:crypto';
import type { GroupVersion } from './discovery.ts';
import { groupVersions } from './discovery.ts';
import { openApiDocument } from './openapi-document.ts';
import { buildOpenApiV2 } from './openapi-v2.ts';

/** The OpenAPI documents of a server, encoded once. */

/** A document ready to be sent. */
export interface OpenApiDocument {
  readonly body: string;
  /** Changes with the content; clients cache by it (`?hash=`, ETag). */
  readonly hash: string;
}

/** All documents of a server. */
export interface OpenApi {
  /** Answers `/openapi/v3`. */
  readonly index: string;
  /** Answers `/openapi/v3/<path>`, such as `api/v1` or `apis/apps/v1`. */
  document(path: string): OpenApiDocument | undefined;
  /** Answers `/openapi/v2` (`openApiV2MediaType`). Built when it is asked for first. */
  v2(): Uint8Array;
}

function pathOf({ group, version }: GroupVersion): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

function serialise(document: object): OpenApiDocument {
  const body = JSON.stringify(document);
  return { body, hash: createHash('sha512').update(body).digest('hex').slice(0, 64).toUpperCase() };
}

/** Builds the documents of every group and version. `release` is the version that the server claims. */
export function buildOpenApi(release: string): OpenApi {
  const documents = new Map(groupVersions().map((each) => [pathOf(each), serialise(openApiDocument(each, release))]));
  const paths = [...documents].map(([path, { hash }]) => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` },
  ]);
  let v2: Uint8Array | undefined;
  return {
    index: JSON.stringify({ paths: Object.fromEntries(paths) }),
    document: (path) => documents.get(path),
    v2: () => (v2 ??= buildOpenApiV2(release)),
  };
}
