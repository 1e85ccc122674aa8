import http from 'node:http';
import https from 'node:https';
import type { HTTPHeader } from '../../api/core/pod/probe.ts';
import type { ProbeOutcome } from './outcome.ts';

export interface HttpProbe {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** With query. */
  readonly path: string;
  readonly headers: readonly HTTPHeader[];
  readonly timeoutMs: number;
  readonly userAgent: string;
}

const mostRedirects = 10;
const mostBody = 10 * 1024;

/**
 * An HTTP GET: 200-399 passes. Certificates are not verified; redirects are followed on the same host, up to ten, and one
 * to another host passes with a warning. No connection is kept.
 */
export async function probeHttp(probe: HttpProbe): Promise<ProbeOutcome> {
  const signal = AbortSignal.timeout(probe.timeoutMs);
  let url = new URL(
    `${probe.scheme}://${hostOf(probe.host)}:${probe.port}${probe.path.startsWith('/') ? '' : '/'}${probe.path}`,
  );
  const first = url;
  try {
    for (let redirects = 0; ; redirects++) {
      const { status, location, body } = await get(url, headersOf(probe), signal);
      const next = status >= 300 && status < 400 && location !== undefined ? new URL(location, url) : undefined;
      if (next !== undefined && next.hostname !== first.hostname) {
        return { isOk: true, output: `Probe terminated redirects, Response body: ${body}` };
      }
      if (next !== undefined && redirects >= mostRedirects) {
        return { isOk: false, output: `Get "${first.href}": stopped after ${mostRedirects} redirects` };
      }
      if (next === undefined) {
        if (status >= 200 && status < 400) return { isOk: true, output: body };
        return { isOk: false, output: `HTTP probe failed with statuscode: ${status}` };
      }
      url = next;
    }
  } catch (error) {
    return { isOk: false, output: `Get "${url.href}": ${reasonOf(error, signal)}` };
  }
}

function hostOf(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function headersOf({ headers, userAgent }: HttpProbe): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = { 'user-agent': userAgent, accept: '*/*', connection: 'close' };
  for (const name of new Set(headers.map((each) => each.name.toLowerCase()))) {
    const values = headers.filter((each) => each.name.toLowerCase() === name).map(({ value }) => value);
    result[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  if (result['accept'] === '') delete result['accept'];
  return result;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

function get(url: URL, headers: Record<string, string | string[]>, signal: AbortSignal): Promise<Answer> {
  const options = { headers, agent: false, signal, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const done = () => {
        const body = Buffer.concat(chunks).toString().slice(0, mostBody);
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, body });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length < mostBody) return;
        done();
        response.destroy();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** Why a connection failed, in the words that users of Kubernetes know. */
export function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  if (!(error instanceof Error)) return String(error);
  const { address, port } = error as { address?: string; port?: number };
  if ('code' in error && error.code === 'ECONNREFUSED')
    return `dial tcp ${address}:${port}: connect: connection refused`;
  return error.message;
}
