import { connect } from 'node:net';
import { reasonOf } from './http.ts';
import type { ProbeOutcome } from './outcome.ts';

/** Passes when a TCP connection can be opened in time. */
export function probeTcp(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  const signal = AbortSignal.timeout(timeoutMs);
  const socket = connect({ host, port, signal });
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve({ isOk: true, output: '' });
    });
    socket.once('error', (error) => {
      const output = signal.aborted ? `dial tcp ${host}:${port}: i/o timeout` : reasonOf(error, signal);
      resolve({ isOk: false, output });
    });
  });
}
