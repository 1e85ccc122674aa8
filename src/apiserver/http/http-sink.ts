import type { ServerResponse } from 'node:http';
import type { Sink } from './reply.ts';

/** A stream body's way into an HTTP response. Writes of one turn of the event loop leave in one packet. */
export function httpSink(response: ServerResponse): Sink {
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    response.uncork();
  };
  return {
    write(chunk) {
      if (response.writableEnded || response.destroyed) return;
      if (!isCorked) {
        isCorked = true;
        response.cork();
        process.nextTick(uncork);
      }
      response.write(chunk);
    },
    get backlog() {
      return response.writableLength;
    },
    drained() {
      if (!response.writableNeedDrain || response.destroyed) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          response.off('drain', done);
          response.off('close', done);
          resolve();
        };
        response.once('drain', done);
        response.once('close', done);
      });
    },
    end() {
      if (!response.writableEnded) response.end();
    },
  };
}
