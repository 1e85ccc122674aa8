import { isNotFound } from '../../api/errors.ts';
import { selectionOf } from './get-request.ts';
import type { GetRequest } from './get-request.ts';
import { asList, formatDocument, isObjectFormat, printObject, withoutManagedFields } from './print.ts';
import type { ObjectFormat } from './print.ts';
import { listObjects, readObject, watchChanges } from './read.ts';
import type { ResourceType } from './resource-types.ts';
import type { AnyObject } from './rest.ts';
import { compareValues, fieldReader } from './sort-by.ts';

interface Found {
  readonly type: ResourceType;
  readonly object: AnyObject;
}

/** Prints whole objects as JSON, YAML or names: one object as itself, several as a `List`. */
export async function showObjects(request: GetRequest): Promise<void> {
  const { context, targets } = request;
  const format = isObjectFormat(context.options.output) ? context.options.output : 'name';
  if (context.options.watch) return await followObjects(request, format);
  const found = sorted(request, await findAll(request));
  const one = targets.length === 1 && targets[0]?.name !== undefined;
  if (format !== 'name' && !one) {
    context.stdout.write(await formatDocument(asList(found.map(({ object }) => object)), format));
    return;
  }
  for (const { type, object } of found) await printObject(context.stdout, type, object, format);
}

async function findAll(request: GetRequest): Promise<Found[]> {
  const { transport, context } = request;
  const found: Found[] = [];
  for (const { type, name } of request.targets) {
    const objects =
      name === undefined
        ? (await listObjects<AnyObject>(transport, selectionOf(request, type), context.signal)).items
        : await readOne(request, type, name);
    found.push(...objects.map((object) => ({ type, object: presentable(request, object) })));
  }
  return found;
}

function presentable({ context }: GetRequest, object: AnyObject): AnyObject {
  return context.options['show-managed-fields'] ? object : withoutManagedFields(object);
}

async function readOne({ transport, context, namespace = '' }: GetRequest, type: ResourceType, name: string) {
  try {
    return [await readObject<AnyObject>(transport, type, name, namespace, context.signal)];
  } catch (error) {
    if (context.options['ignore-not-found'] && isNotFound(error)) return [];
    throw error;
  }
}

function sorted({ context }: GetRequest, found: Found[]): Found[] {
  const path = context.options['sort-by'];
  if (path === undefined) return found;
  const read = fieldReader(path);
  return found.sort((a, b) => compareValues(read(a.object), read(b.object)));
}

/** Prints what is there, then every change of it; one type, as the command has checked. */
async function followObjects(request: GetRequest, format: ObjectFormat): Promise<void> {
  const { transport, context, targets } = request;
  const [target] = targets;
  if (target === undefined) return;
  const { type } = target;
  const print = (object: AnyObject) => printObject(context.stdout, type, presentable(request, object), format, true);
  const selection = selectionOf(request, type, target.name);
  const { items, resourceVersion } = await listObjects<AnyObject>(transport, selection, context.signal);
  for (const object of items) await print(object);
  const watch = { resourceVersion, accept: 'application/json', signal: context.signal };
  for await (const change of watchChanges(transport, selection, watch)) await print(change.object as AnyObject);
}
