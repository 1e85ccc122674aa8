import { isDeepStrictEqual } from 'node:util';
import { isConflict, isNotFound } from '../api/errors.ts';
import type { Transport } from '../client/client.ts';
import { objectPath } from '../client/paths.ts';
import { CommandError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { locate } from './objects/locate.ts';
import type { LocatedObject } from './objects/locate.ts';
import { readManifests } from './objects/manifests.ts';
import { isObjectFormat, objectLabel, printObject, withoutManagedFields } from './objects/print.ts';
import { readObject } from './objects/read.ts';
import { loadResourceTypes } from './objects/resource-types.ts';
import { requestWithWarnings } from './objects/rest.ts';
import type { AnyObject } from './objects/rest.ts';
import { describeFailure, reportFailure } from './report-error.ts';

const options = {
  filename: { type: 'strings', short: 'f', value: 'PATH', summary: 'File, folder, or - for standard input' },
  recursive: { type: 'boolean', short: 'R', summary: 'Folders inside folders too' },
  ...namespaceOption,
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    choices: ['json', 'yaml', 'name'],
    summary: 'Print the objects',
  },
  'dry-run': { type: 'boolean', summary: 'Let the server check everything and keep nothing' },
  'force-conflicts': { type: 'boolean', summary: 'Take over fields that others have set' },
  'field-manager': { type: 'string', value: 'NAME', default: 'fairlead', summary: 'Who owns the fields set here' },
  ...connectionOptions,
} as const;

type ApplyContext = CommandContext<typeof options>;

/** `fairlead apply`. */
export const command = defineCommand({
  name: 'apply',
  summary: 'Create or change objects as files say',
  usage: ['apply -f PATH… [flags]'],
  description:
    'Server-side apply: the fields in the files are set, fields that others have set stay. Every object is tried; the\n' +
    'exit code is that of the first failure.',
  options,
  examples: [
    { command: 'fairlead apply -f examples/hello/', does: 'Everything in a folder' },
    { command: 'cat service.yaml | fairlead apply -n shop -f -', does: 'From standard input, into a namespace' },
    { command: 'fairlead apply --dry-run -o yaml -f service.yaml', does: 'What the server would make of it' },
  ],
  run,
});

async function run(context: ApplyContext): Promise<ExitCode> {
  const { options, args, signal } = context;
  const manifests = await readManifests([...options.filename, ...args], options.recursive, context);
  await using connection = await connect(context);
  const types = await loadResourceTypes(connection.transport, signal);
  const namespaces = { fallback: connection.namespace, required: options.namespace };
  let result: ExitCode = exitCodes.ok;
  for (const manifest of manifests) {
    try {
      await applyOne(context, connection.transport, locate(types, manifest, namespaces));
    } catch (error) {
      const code = reportFailure(atPlace(error, manifest.place), context);
      result ||= code;
      if (code === exitCodes.notReachable || code === exitCodes.interrupted) break;
    }
  }
  return result;
}

async function applyOne(context: ApplyContext, transport: Transport, located: LocatedObject): Promise<void> {
  const { options, signal, stdout, stderr } = context;
  const { type, name, namespace } = located;
  const before = await currentObject(transport, located, signal);
  const send = (force: boolean) =>
    requestWithWarnings<AnyObject>(transport, {
      method: 'PATCH',
      path: `${objectPath(type, name, namespace)}?${applyQuery(options, force)}`,
      headers: { 'content-type': 'application/apply-patch+yaml', accept: 'application/json' },
      body: JSON.stringify(located.object),
      signal,
    });
  const { value, warnings } = await send(options['force-conflicts']).catch((error: unknown) => {
    if (!isBetweenHandTools(error)) throw error;
    return send(true);
  });
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
  if (isObjectFormat(options.output)) {
    await printObject(stdout, type, withoutManagedFields(value), options.output, true);
    return;
  }
  const done = before === undefined ? 'created' : isSame(before, value) ? 'unchanged' : 'configured';
  stdout.write(`${objectLabel(type, name)} ${done}${options['dry-run'] ? ' (dry run)' : ''}\n`);
}

/**
 * Whether only fields are in conflict that people set by hand, with kubectl or with us: between those the last one wins, as
 * with `kubectl apply`. Controllers and other managers keep what is theirs.
 */
function isBetweenHandTools(error: unknown): boolean {
  if (!isConflict(error)) return false;
  const causes = error.status.details?.causes ?? [];
  return (
    causes.length > 0 && causes.every(({ message = '' }) => /^conflict with "(?:kubectl|fairlead)["-]/.test(message))
  );
}

function applyQuery(options: ApplyContext['options'], force: boolean): URLSearchParams {
  const query = new URLSearchParams({ fieldManager: options['field-manager'], fieldValidation: 'Strict' });
  if (force) query.set('force', 'true');
  if (options['dry-run']) query.set('dryRun', 'All');
  return query;
}

/** The object as it is now; undefined when it does not exist. */
async function currentObject(
  transport: Transport,
  { type, name, namespace }: LocatedObject,
  signal: AbortSignal,
): Promise<AnyObject | undefined> {
  try {
    return await readObject<AnyObject>(transport, type, name, namespace, signal);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Whether applying changed anything of what users set; controllers may write the status meanwhile. */
function isSame(before: AnyObject, after: AnyObject): boolean {
  if (before.metadata.resourceVersion === after.metadata.resourceVersion) return true;
  return isDeepStrictEqual(userPart(before), userPart(after));
}

function userPart({ status: _status, metadata, ...rest }: AnyObject): unknown {
  const { resourceVersion: _version, managedFields: _fields, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/** The failure with the place in the file put first. */
function atPlace(error: unknown, place: string): unknown {
  const { message, hint, code } = describeFailure(error);
  if (code === exitCodes.notReachable || message.startsWith(place)) return error;
  const forced = isConflict(error) ? 'to take these fields over: --force-conflicts' : hint;
  return new CommandError(`${place}: ${message}`, { code, hint: forced, cause: error });
}
