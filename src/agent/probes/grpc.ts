import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import type { ProbeOutcome } from './outcome.ts';

const serving = 1;
const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/**
 * Asks `grpc.health.v1.Health/Check`; passes when the service is SERVING.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export async function probeGrpc(
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
  userAgent: string,
): Promise<ProbeOutcome> {
  const session = connect(`http://${host}:${port}`);
  const answered = Promise.withResolvers<ProbeOutcome>();
  const fail = (output: string) => answered.resolve({ isOk: false, output });
  const timer = setTimeout(() => fail(`timeout: health rpc did not complete within ${timeoutMs / 1000}s`), timeoutMs);
  session.on('error', (error) => fail(`failed to connect grpc service "${host}:${port}": ${error.message}`));
  check(session, `${host}:${port}`, service, userAgent, answered.resolve);
  try {
    return await answered.promise;
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

function check(
  session: ClientHttp2Session,
  authority: string,
  service: string,
  userAgent: string,
  answer: (outcome: ProbeOutcome) => void,
): void {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    ':authority': authority,
    'content-type': 'application/grpc',
    'user-agent': userAgent,
    te: 'trailers',
  });
  const chunks: Buffer[] = [];
  let grpcStatus: string | undefined;
  let grpcMessage = '';
  const readStatus = (headers: Record<string, unknown>) => {
    grpcStatus ??= headers['grpc-status'] as string | undefined;
    grpcMessage ||= String(headers['grpc-message'] ?? '');
  };
  stream.on('response', readStatus).on('trailers', readStatus);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', (error) => answer({ isOk: false, output: `error: health rpc failed: ${error.message}` }));
  stream.on('end', () => answer(outcomeOf(grpcStatus, grpcMessage, Buffer.concat(chunks))));
  stream.end(encodeRequest(service));
}

function outcomeOf(grpcStatus: string | undefined, message: string, body: Buffer): ProbeOutcome {
  if (grpcStatus === '12') {
    return {
      isOk: false,
      output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)',
    };
  }
  if (grpcStatus !== '0')
    return { isOk: false, output: `error: health rpc failed: ${message || `status ${grpcStatus}`}` };
  const status = decodeStatus(body);
  if (status === serving) return { isOk: true, output: 'service healthy' };
  return { isOk: false, output: `service unhealthy (responded with "${statusNames[status] ?? status}")` };
}

/** A gRPC frame with `HealthCheckRequest{service = 1}`. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `HealthCheckResponse{status = 1}` of a gRPC frame; 0 when absent. */
export function decodeStatus(frame: Buffer): number {
  return frame.length >= 7 && frame[5] === 0x08 ? (frame[6] ?? 0) : 0;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
