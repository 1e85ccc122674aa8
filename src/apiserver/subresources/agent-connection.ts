import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { isIPv4, isIPv6 } from 'node:net';
import { internal } from '../../api/errors.ts';
import type { KeyPair } from '../pki/certificate.ts';

/** Where an agent listens. */
export interface AgentAddress {
  readonly host: string;
  readonly port: number;
}

/** Connections to node agents, with the API server's own client certificate. */
export interface AgentConnector extends AsyncDisposable {
  /** A GET. Resolves with the answer's head; its body follows. Rejects with `ApiError` 500 when nobody answers. */
  get(at: AgentAddress, path: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** A TLS connection for a request that is going to be upgraded. Rejects with `ApiError` 500. */
  open(at: AgentAddress): Promise<TLSSocket>;
}

export interface AgentConnectorOptions {
  readonly client: KeyPair;
  /** PEM. An agent whose certificate it did not sign is refused. Unset: not verified, as kube-apiserver without `--kubelet-certificate-authority`. */
  readonly authority?: string | undefined;
}

const connectTimeoutMs = 10_000;

export function createAgentConnector(options: AgentConnectorOptions): AgentConnector {
  const { client, authority } = options;
  const tls = { cert: client.certificate, key: client.key, ca: authority, rejectUnauthorized: authority !== undefined };
  const pool = new Agent({ keepAlive: true, maxSockets: 256, ...tls });
  return {
    get: (at, path, signal) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest(
          { ...tls, agent: pool, host: at.host, port: at.port, path, signal, method: 'GET' },
          resolve,
        );
        request.setTimeout(connectTimeoutMs, () => request.destroy(new Error('no answer within 10 s')));
        request.once('response', () => request.setTimeout(0));
        request.once('error', (error) => reject(unreachable(at, error)));
        request.end();
      }),
    open: (at) =>
      new Promise((resolve, reject) => {
        const name = isIPv4(at.host) || isIPv6(at.host) ? {} : { servername: at.host };
        const socket = connect({ ...tls, ...name, host: at.host, port: at.port, ALPNProtocols: ['http/1.1'] });
        socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('no connection within 10 s')));
        socket.once('error', (error) => reject(unreachable(at, error)));
        socket.once('secureConnect', () => {
          socket.setTimeout(0);
          resolve(socket);
        });
      }),
    async [Symbol.asyncDispose]() {
      pool.destroy();
    },
  };
}

function unreachable(at: AgentAddress, error: Error) {
  return internal(`error dialing backend: ${at.host}:${at.port}: ${error.message}`, error);
}
