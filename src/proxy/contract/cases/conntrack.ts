import { type Case, clusterIp, nodePortService, udp } from '../case.ts';
import { nodePort } from '../world.ts';

const overUdp = { protocol: 'UDP' } as const;
/** Otherwise the client hears of it, and connects again. */
const connected = { needs: ['connected-udp'], instead: 'reset' } as const;

/** What the kernel remembers of flows must not outlive the endpoints. */
export const conntrackCases: readonly Case[] = [
  {
    title: 'a UDP client keeps its service when the server Pod of a cluster address cycles',
    steps: [
      {
        services: { web: clusterIp({ ports: [udp()] }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'web', ...overUdp, expect: ['a1'], hold: 'flow' },
          { from: 'A', to: 'web', ...overUdp, expect: ['a1'], hold: 'flow' },
          { from: 'b2', to: 'web', ...overUdp, expect: ['a1'], hold: 'flow' },
        ],
      },
      {
        pods: { a1: '', b1: 'web' },
        calls: [
          { from: 'a2', again: 'flow', expect: ['b1'], ...connected },
          { from: 'A', again: 'flow', expect: ['b1'], ...connected },
          { from: 'b2', again: 'flow', expect: ['b1'], ...connected },
        ],
      },
      {
        calls: [
          { from: 'a2', again: 'flow', expect: ['b1'] },
          { from: 'A', again: 'flow', expect: ['b1'] },
          { from: 'b2', again: 'flow', expect: ['b1'] },
        ],
      },
    ],
  },
  {
    title: 'a UDP client keeps its service when the server Pod of a node port cycles',
    steps: [
      {
        services: { web: nodePortService({ ports: [udp({ nodePort })] }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'outside', to: 'A', port: nodePort, ...overUdp, expect: ['a1'], hold: 'A' },
          { from: 'outside', to: 'B', port: nodePort, ...overUdp, expect: ['a1'], hold: 'B' },
          { from: 'A', to: 'A', port: nodePort, ...overUdp, expect: ['a1'], hold: 'A' },
        ],
      },
      {
        pods: { a1: '', b1: 'web' },
        calls: [
          { from: 'outside', again: 'A', expect: ['b1'] },
          { from: 'outside', again: 'B', expect: ['b1'] },
          { from: 'A', again: 'A', expect: ['b1'], ...connected },
        ],
      },
      { calls: [{ from: 'A', again: 'A', expect: ['b1'] }] },
    ],
  },
  {
    title: 'a UDP client that came before the first endpoint is served when there is one',
    steps: [
      {
        services: { web: nodePortService({ ports: [udp({ nodePort })] }) },
        pods: { a1: 'web unready' },
        calls: [
          { from: 'a2', to: 'web', ...overUdp, expect: 'refused', hold: 'inside' },
          { from: 'outside', to: 'A', port: nodePort, ...overUdp, expect: 'refused', hold: 'outside' },
        ],
      },
      {
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', again: 'inside', expect: ['a1'] },
          { from: 'outside', again: 'outside', expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'a UDP client of an endpoint that stays is not disturbed when others go',
    steps: [
      {
        services: { web: clusterIp({ ports: [udp()] }) },
        pods: { a1: 'web' },
        calls: [{ from: 'a2', to: 'web', ...overUdp, expect: ['a1'], hold: 'flow' }],
      },
      { pods: { b1: 'web', b2: 'web' }, calls: [{ from: 'a2', again: 'flow', expect: ['a1'] }] },
      { pods: { b1: '' }, calls: [{ from: 'a2', again: 'flow', expect: ['a1'] }] },
    ],
  },
  {
    title: 'established TCP connections live on when their endpoint or their Service goes',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', expect: ['b1'], hold: 'connection' },
          { from: 'outside', to: 'web', expect: ['b1'], hold: 'connection' },
        ],
      },
      {
        pods: { b1: '', b2: 'web' },
        calls: [
          { from: 'a2', again: 'connection', expect: ['b1'] },
          { from: 'outside', again: 'connection', expect: ['b1'] },
          { from: 'a2', to: 'web', expect: ['b2'] },
        ],
      },
      { services: { web: null }, calls: [{ from: 'a2', again: 'connection', expect: ['b1'] }] },
    ],
  },
  {
    title: 'invalid packets are dropped: a stray segment of a server does not end the connection',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { b1: 'web' },
        calls: [{ from: 'a1', to: 'web', expect: ['b1'], hold: 'connection' }],
      },
      { calls: [{ stray: 'b1' }] },
      { calls: [{ from: 'a1', again: 'connection', expect: ['b1'] }] },
    ],
  },
];
