import type { Status } from '../../api/meta/status.ts';
import type { RemoteStreams, TerminalSize } from './backend.ts';

/** An exec or attach session with a client, whatever protocol carries it. */
export interface Session {
  readonly streams: RemoteStreams;
  /** Ends the output streams, tells the client how it went, and closes. Resolves when all of it is sent. */
  finish(status: Status): Promise<void>;
}

/** Which streams the client asked for, from the query of exec and attach. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** A queue of terminal sizes: one writer, one reader. Only the newest one that was not read yet is kept. */
export class Resizes implements AsyncIterable<TerminalSize> {
  private latest: TerminalSize | undefined;
  private wake: (() => void) | undefined;
  private isEnded = false;

  push(size: TerminalSize): void {
    this.latest = size;
    this.wake?.();
  }

  /** Takes the JSON that clients send: `{"Width":80,"Height":24}`. Anything else is ignored. */
  pushJson(text: string): void {
    try {
      const { Width: width, Height: height } = JSON.parse(text) as { Width: unknown; Height: unknown };
      if (isSize(width) && isSize(height)) this.push({ width, height });
    } catch {
      // A terminal that cannot be read keeps its size.
    }
  }

  end(): void {
    this.isEnded = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize> {
    for (;;) {
      if (this.latest !== undefined) {
        const size = this.latest;
        this.latest = undefined;
        yield size;
      } else if (this.isEnded) {
        return;
      } else {
        await new Promise<void>((wake) => (this.wake = wake));
      }
    }
  }
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}
