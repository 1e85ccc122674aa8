import { inline, int32, int64, intOrString, list, message, object, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';

/** Checks and hooks of containers. */

export const ExecAction = message(
  'core.v1.ExecAction',
  {
    command: list(1, 'string', { doc: 'The program and its arguments; no shell.' }),
  },
  { doc: 'Runs a program.' },
);
export type ExecAction = Infer<typeof ExecAction>;

export const HTTPHeader = message(
  'core.v1.HTTPHeader',
  {
    name: string(1, { required: true }),
    value: string(2, { required: true }),
  },
  { doc: 'A header of an HTTP request.' },
);
export type HTTPHeader = Infer<typeof HTTPHeader>;

export const HTTPGetAction = message(
  'core.v1.HTTPGetAction',
  {
    path: string(1, { doc: 'The path.', default: '/' }),
    port: intOrString(2, { doc: 'Number, or name of a port of the container.', required: true }),
    host: string(3, { doc: 'Address to connect to; that of the Pod by default.' }),
    scheme: string(4, {
      doc: 'HTTP or HTTPS; certificates are not verified.',
      default: 'HTTP',
      values: ['HTTP', 'HTTPS'],
    }),
    httpHeaders: list(5, HTTPHeader, { doc: 'Further headers.' }),
  },
  { doc: 'Asks over HTTP.' },
);
export type HTTPGetAction = Infer<typeof HTTPGetAction>;

export const TCPSocketAction = message(
  'core.v1.TCPSocketAction',
  {
    port: intOrString(1, { doc: 'Number, or name of a port of the container.', required: true }),
    host: string(2, { doc: 'Address to connect to; that of the Pod by default.' }),
  },
  { doc: 'Opens a connection.' },
);
export type TCPSocketAction = Infer<typeof TCPSocketAction>;

export const GRPCAction = message(
  'core.v1.GRPCAction',
  {
    port: int32(1, { doc: 'The number.', required: true }),
    service: string(2, { doc: 'What to ask about.', pointer: true, default: '' }),
  },
  { doc: 'Asks the gRPC health service.' },
);
export type GRPCAction = Infer<typeof GRPCAction>;

export const ProbeHandler = message(
  'core.v1.ProbeHandler',
  {
    exec: object(1, ExecAction, { doc: 'Run a program in the container: success is exit code 0.' }),
    httpGet: object(2, HTTPGetAction, { doc: 'Ask over HTTP: success is a status from 200 to 399.' }),
    tcpSocket: object(3, TCPSocketAction, { doc: 'Connect: success is a connection.' }),
    grpc: object(4, GRPCAction, { doc: 'Ask the gRPC health service.' }),
  },
  { doc: 'What to check.' },
);
export type ProbeHandler = Infer<typeof ProbeHandler>;

export const Probe = message(
  'core.v1.Probe',
  {
    ...inline(1, ProbeHandler),
    initialDelaySeconds: int32(2, { doc: 'Wait this long after the start.' }),
    timeoutSeconds: int32(3, { doc: 'How long a check may take.', default: 1 }),
    periodSeconds: int32(4, { doc: 'Time between checks.', default: 10 }),
    successThreshold: int32(5, { doc: 'How many successes in a row count as success.', default: 1 }),
    failureThreshold: int32(6, { doc: 'How many failures in a row count as failure.', default: 3 }),
    terminationGracePeriodSeconds: int64(7, {
      doc: 'Time to stop in after a failed liveness or startup probe, instead of that of the Pod.',
      pointer: true,
    }),
  },
  { doc: 'A check that is repeated.' },
);
export type Probe = Infer<typeof Probe>;

export const SleepAction = message(
  'core.v1.SleepAction',
  {
    seconds: int64(1, { required: true }),
  },
  { doc: 'Waits.' },
);
export type SleepAction = Infer<typeof SleepAction>;

export const LifecycleHandler = message(
  'core.v1.LifecycleHandler',
  {
    exec: object(1, ExecAction, { doc: 'Run a program in the container.' }),
    httpGet: object(2, HTTPGetAction, { doc: 'Ask over HTTP.' }),
    tcpSocket: object(3, TCPSocketAction, { doc: 'Has no effect.' }),
    sleep: object(4, SleepAction, { doc: 'Wait.' }),
  },
  { doc: 'What to do.' },
);
export type LifecycleHandler = Infer<typeof LifecycleHandler>;

export const Lifecycle = message(
  'core.v1.Lifecycle',
  {
    postStart: object(1, LifecycleHandler, { doc: 'Right after the start.' }),
    preStop: object(2, LifecycleHandler, { doc: 'Before the stop; the time counts as grace period.' }),
    stopSignal: string(3, { doc: 'The signal to stop it with.', pointer: true }),
  },
  { doc: 'Hooks of a container.' },
);
export type Lifecycle = Infer<typeof Lifecycle>;
