import type { ConnectionOptions } from 'node:tls';
import { WebSocket } from 'ws';
import type { ClientOptions, RawData } from 'ws';
import { ApiError } from '../../api/errors.ts';
import type { Status } from '../../api/meta/status.ts';
import { TransportError } from '../../client/client.ts';
import type { Connection as Credentials } from '../../client/http-transport.ts';
import { readText } from '../../client/read-body.ts';
import { CommandError } from '../command-error.ts';
import type { Input, Output } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Channels of `v5.channel.k8s.io` (KEP-4006): the first byte of every message. */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** A program to run in a container, and what it is connected to. */
export interface PodSession {
  readonly credentials: Credentials;
  /** Path with query of the exec or attach subresource. */
  readonly path: string;
  readonly stdin: Input | undefined;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Our terminal becomes that of the program. */
  readonly terminal: boolean;
  readonly signal: AbortSignal;
}

/** Runs the session to its end and returns the program's exit code. Throws `ApiError`, `TransportError`, `CommandError`. */
export async function runPodSession(session: PodSession): Promise<ExitCode> {
  const socket = await dial(session);
  // Heard from the start: the first output may arrive together with the answer to the upgrade.
  const ended = outcome(socket, session);
  ended.catch(() => undefined);
  await opened(socket, session);
  const { stdin, terminal } = session;
  using _raw = terminal ? rawTerminal(session, socket) : undefined;
  if (stdin !== undefined) void sendInput(socket, stdin, terminal);
  try {
    return exitCodeOf(await ended);
  } finally {
    socket.terminate();
  }
}

async function dial({ credentials, path, signal }: PodSession): Promise<WebSocket> {
  const address = credentials.server.replace(/^http/, 'ws').replace(/\/$/, '') + path;
  const { token, basic } = credentials;
  const bearer = typeof token === 'function' ? await token() : token;
  const basicText = basic && Buffer.from(`${basic.username}:${basic.password}`).toString('base64');
  const authorization = bearer ? `Bearer ${bearer}` : basicText && `Basic ${basicText}`;
  const options: ClientOptions & ConnectionOptions = {
    ca: credentials.ca,
    cert: credentials.clientCert,
    key: credentials.clientKey,
    servername: credentials.serverName,
    rejectUnauthorized: !credentials.insecureSkipVerify,
    headers: authorization ? { authorization } : {},
    perMessageDeflate: false,
  };
  const socket = new WebSocket(address, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], options);
  signal.addEventListener('abort', () => socket.terminate(), { once: true });
  return socket;
}

function opened(socket: WebSocket, { signal }: PodSession): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('open', resolve);
  socket.once('error', (cause) => {
    reject(new TransportError(`${socket.url}: ${cause.message}`, { cause, aborted: signal.aborted }));
  });
  socket.once('unexpected-response', (_request, response) => {
    refusal(response.statusCode ?? 0, response).then(reject, reject);
  });
  return promise;
}

/** The server answered the upgrade with an ordinary response: a `Status`. */
async function refusal(code: number, body: AsyncIterable<Uint8Array>): Promise<ApiError> {
  const text = await readText(body);
  try {
    return new ApiError(JSON.parse(text) as Status);
  } catch {
    return new ApiError({
      metadata: {},
      status: 'Failure',
      code,
      message: `the server answered ${code}: ${text.trim()}`,
    });
  }
}

/** Passes output on, and resolves with what the server says about the end. */
function outcome(socket: WebSocket, { stdout, stderr, signal }: PodSession): Promise<Status> {
  const { promise, resolve, reject } = Promise.withResolvers<Status>();
  socket.on('message', (data: RawData) => {
    const bytes = toBuffer(data);
    const payload = bytes.subarray(1);
    if (bytes[0] === channel.stdout && payload.length > 0) stdout.write(payload);
    else if (bytes[0] === channel.stderr && payload.length > 0) stderr.write(payload);
    else if (bytes[0] === channel.error && payload.length > 0) resolve(JSON.parse(payload.toString('utf8')) as Status);
  });
  socket.once('close', () => {
    const message = 'the connection ended before the program did';
    reject(
      signal.aborted ? new CommandError('interrupted', { code: exitCodes.interrupted }) : new CommandError(message),
    );
  });
  // Named by `close`, which always follows.
  socket.on('error', () => undefined);
  return promise;
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function exitCodeOf(status: Status): ExitCode {
  if (status.status === 'Success') return exitCodes.ok;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (status.reason === 'NonZeroExitCode' && cause !== undefined) return Number(cause.message);
  throw startFailure(status.message ?? '') ?? new ApiError(status);
}

/** The program never ran: the codes of a shell, found in the words of runc, as the API has no reason for it. */
function startFailure(message: string): CommandError | undefined {
  if (!message.includes('unable to start container process: exec:')) return undefined;
  const isMissing = /executable file not found in \$PATH|no such file or directory/.test(message);
  return new CommandError(message, { code: isMissing ? exitCodes.commandNotFound : exitCodes.cannotExecute });
}

async function sendInput(socket: WebSocket, stdin: Input, terminal: boolean): Promise<void> {
  try {
    for await (const chunk of stdin) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(frame(channel.stdin, Buffer.from(chunk)));
    }
  } catch {
    // Our input broke off: for the program it ends here.
  }
  const canClose = socket.protocol === 'v5.channel.k8s.io' && socket.readyState === WebSocket.OPEN;
  if (canClose && !terminal) socket.send(Buffer.from([channel.close, channel.stdin]));
}

function frame(id: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([id]), payload]);
}

/** Every key goes to the program, and it is told the size of the terminal; put back when disposed. */
function rawTerminal({ stdin, stdout }: PodSession, socket: WebSocket): Disposable {
  const tellSize = () => {
    const size = JSON.stringify({ Width: stdout.columns ?? 80, Height: stdout.rows ?? 24 });
    if (socket.readyState === WebSocket.OPEN) socket.send(frame(channel.resize, Buffer.from(size)));
  };
  tellSize();
  stdin?.setRawMode?.(true);
  stdout.on?.('resize', tellSize);
  return {
    [Symbol.dispose]: () => {
      stdout.off?.('resize', tellSize);
      stdin?.setRawMode?.(false);
    },
  };
}
