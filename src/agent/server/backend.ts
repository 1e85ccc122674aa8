import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * What the agent's HTTPS server needs of the agent: everything that touches a Pod's processes, files and network. Unknown
 * Pods and containers are refused with an `ApiError` (NotFound, or BadRequest with the kubelet's message).
 */
export interface ServerBackend {
  /** The log of one container as the client gets it; ends at the end of the log, or of the container when following. */
  logs(request: LogRequest): Promise<AsyncIterable<Uint8Array>>;
  /** Runs a command in a container; resolves when it has ended and its output is written. */
  exec(request: ExecRequest, streams: RemoteStreams): Promise<ExecExit>;
  /** Connects to the main process of a container; resolves when that process or the client has gone. */
  attach(request: ContainerRequest, streams: RemoteStreams): Promise<void>;
  /** A connection to a port of the Pod, on its loopback address or its own. Rejects when nobody listens. */
  connectPort(pod: PodRequest, port: number): Promise<Duplex>;
}

export interface PodRequest {
  readonly namespace: string;
  readonly pod: string;
  /** The Pod that is meant, when the client said; another one of the same name is refused. */
  readonly uid?: string;
}

export interface ContainerRequest extends PodRequest {
  readonly container: string;
}

/** The query of `pods/log` (core/v1 PodLogOptions). */
export interface LogRequest extends ContainerRequest {
  readonly follow: boolean;
  /** Of the container's run before this one. */
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Only lines written at or after this time, Unix milliseconds. */
  readonly sinceMs: number | undefined;
  readonly signal: AbortSignal;
}

export interface ExecRequest extends ContainerRequest {
  readonly command: readonly string[];
  readonly tty: boolean;
}

/** How an executed command ended. A signal counts as 128 + its number, as in a shell. */
export interface ExecExit {
  readonly exitCode: number;
}

export interface TerminalSize {
  /** Columns and rows in characters. */
  readonly width: number;
  readonly height: number;
}

/** The client's side of an exec or attach session. Streams that it did not ask for are undefined. */
export interface RemoteStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  /** Undefined with a terminal, which has one output. */
  readonly stderr: Writable | undefined;
  readonly tty: boolean;
  /** Sizes of the client's terminal as it changes, the first one early. Ends with the session. */
  readonly resizes: AsyncIterable<TerminalSize>;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}
