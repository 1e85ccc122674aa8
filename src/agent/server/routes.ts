import { badRequest } from '../../api/errors.ts';
import type { ContainerRequest, ExecRequest, LogRequest, PodRequest } from './backend.ts';
import type { WantedStreams } from './session.ts';

/** What a path of the agent means. The layout is the kubelet's. */
export type Route =
  | { readonly type: 'health' }
  | { readonly type: 'logs'; readonly request: Omit<LogRequest, 'signal'> }
  | { readonly type: 'exec'; readonly request: ExecRequest; readonly wanted: WantedStreams }
  | { readonly type: 'attach'; readonly request: ContainerRequest; readonly wanted: WantedStreams }
  /** `ports` only for clients that name them in the query. */
  | { readonly type: 'port-forward'; readonly request: PodRequest; readonly ports: readonly number[] }
  | { readonly type: 'unknown' };

/** Reads a path with query. Throws `ApiError` (BadRequest) for values that make no sense. */
export function readRoute(target: string, nowMs: number): Route {
  const url = new URL(target, 'https://agent');
  const [kind, namespace = '', pod = '', container = ''] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  const query = url.searchParams;
  switch (kind) {
    case 'healthz':
      return { type: 'health' };
    case 'containerLogs':
      return { type: 'logs', request: { namespace, pod, container, ...readLogQuery(query, nowMs) } };
    case 'exec':
      return {
        type: 'exec',
        request: { namespace, pod, container, command: readCommand(query), tty: isOn(query, 'tty') },
        wanted: readWanted(query),
      };
    case 'attach':
      return { type: 'attach', request: { namespace, pod, container }, wanted: readWanted(query) };
    case 'portForward':
      return { type: 'port-forward', request: { namespace, pod }, ports: readPorts(query) };
    default:
      return { type: 'unknown' };
  }
}

function readLogQuery(
  query: URLSearchParams,
  nowMs: number,
): Omit<LogRequest, 'signal' | 'namespace' | 'pod' | 'container'> {
  const sinceSeconds = readCount(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  const sinceTimeMs = sinceTime === null ? undefined : Date.parse(sinceTime);
  if (Number.isNaN(sinceTimeMs)) throw badRequest(`sinceTime: "${sinceTime}" is not a time in RFC 3339`);
  if (sinceSeconds !== undefined && sinceTimeMs !== undefined) {
    throw badRequest('at most one of sinceTime or sinceSeconds may be specified');
  }
  return {
    follow: isOn(query, 'follow'),
    previous: isOn(query, 'previous'),
    timestamps: isOn(query, 'timestamps'),
    tailLines: readCount(query, 'tailLines', 0),
    limitBytes: readCount(query, 'limitBytes', 1),
    sinceMs: sinceSeconds === undefined ? sinceTimeMs : nowMs - sinceSeconds * 1000,
  };
}

function readCommand(query: URLSearchParams): readonly string[] {
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least one command for the container');
  return command;
}

function readWanted(query: URLSearchParams): WantedStreams {
  const wanted = {
    stdin: isOn(query, 'stdin'),
    stdout: isOn(query, 'stdout'),
    stderr: isOn(query, 'stderr'),
    tty: isOn(query, 'tty'),
  };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  return wanted;
}

function readPorts(query: URLSearchParams): readonly number[] {
  return query.getAll('ports').flatMap((list) => list.split(',').map(readPort));
}

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw badRequest(`ports: "${text}" is not a port`);
}

function readCount(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw badRequest(`${name}: "${text}" must be a whole number of ${least} or more`);
}

function isOn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === 'true' || value === '1';
}
