import type { Infer } from '../../schema.ts';
import { inline, int32, int64, intOrString, list, message, object, string } from '../../schema.ts';

export const ExecAction = message('core.v1.ExecAction', {
  command: list(1, 'string'),
});
export type ExecAction = Infer<typeof ExecAction>;

export const HTTPHeader = message('core.v1.HTTPHeader', {
  name: string(1, { required: true }),
  value: string(2, { required: true }),
});
export type HTTPHeader = Infer<typeof HTTPHeader>;

export const HTTPGetAction = message('core.v1.HTTPGetAction', {
  path: string(1, { default: '/' }),
  port: intOrString(2, { required: true }),
  host: string(3),
  scheme: string(4, { default: 'HTTP', values: ['HTTP', 'HTTPS'] }),
  httpHeaders: list(5, HTTPHeader),
});
export type HTTPGetAction = Infer<typeof HTTPGetAction>;

export const TCPSocketAction = message('core.v1.TCPSocketAction', {
  port: intOrString(1, { required: true }),
  host: string(2),
});
export type TCPSocketAction = Infer<typeof TCPSocketAction>;

export const GRPCAction = message('core.v1.GRPCAction', {
  port: int32(1, { required: true }),
  service: string(2, { pointer: true, default: '' }),
});
export type GRPCAction = Infer<typeof GRPCAction>;

export const ProbeHandler = message('core.v1.ProbeHandler', {
  exec: object(1, ExecAction),
  httpGet: object(2, HTTPGetAction),
  tcpSocket: object(3, TCPSocketAction),
  grpc: object(4, GRPCAction),
});
export type ProbeHandler = Infer<typeof ProbeHandler>;

export const Probe = message('core.v1.Probe', {
  ...inline(1, ProbeHandler),
  initialDelaySeconds: int32(2),
  timeoutSeconds: int32(3, { default: 1 }),
  periodSeconds: int32(4, { default: 10 }),
  successThreshold: int32(5, { default: 1 }),
  failureThreshold: int32(6, { default: 3 }),
  terminationGracePeriodSeconds: int64(7, { pointer: true }),
});
export type Probe = Infer<typeof Probe>;

export const SleepAction = message('core.v1.SleepAction', {
  seconds: int64(1, { required: true }),
});
export type SleepAction = Infer<typeof SleepAction>;

export const LifecycleHandler = message('core.v1.LifecycleHandler', {
  exec: object(1, ExecAction),
  httpGet: object(2, HTTPGetAction),
  tcpSocket: object(3, TCPSocketAction),
  sleep: object(4, SleepAction),
});
export type LifecycleHandler = Infer<typeof LifecycleHandler>;

export const Lifecycle = message('core.v1.Lifecycle', {
  postStart: object(1, LifecycleHandler),
  preStop: object(2, LifecycleHandler),
  stopSignal: string(3, { pointer: true }),
});
export type Lifecycle = Infer<typeof Lifecycle>;
