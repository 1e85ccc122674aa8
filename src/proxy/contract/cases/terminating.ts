import { type Case, clusterIp, many, nodePortService, loadBalancer, tcp } from '../case.ts';
import { nodePort } from '../world.ts';

const at = { port: nodePort } as const;
const healthPort = nodePort + 1;

/** Endpoints that are not ready, on their way out, or published all the same (KEP-1669). */
export const terminatingCases: readonly Case[] = [
  {
    title: 'endpoints exist for unready Pods when the Service publishes them',
    steps: [
      {
        services: { web: clusterIp({ publishNotReadyAddresses: true }) },
        pods: { a1: 'web unready', b1: 'web unready' },
        calls: [{ from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'] }],
      },
    ],
  },
  {
    title: 'terminating and unready endpoints are reached when publishNotReadyAddresses is true',
    steps: [
      {
        services: { web: nodePortService({ publishNotReadyAddresses: true }) },
        pods: { a1: 'web terminating unready', b1: 'web unready' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'] },
          { from: 'A', to: 'A', ...at, times: many, expect: ['a1', 'b1'] },
          { from: 'outside', to: 'B', ...at, times: many, expect: ['a1', 'b1'] },
        ],
      },
    ],
  },
  {
    title: 'terminating and unready endpoints are not reached when publishNotReadyAddresses is false',
    steps: [
      {
        services: { web: nodePortService() },
        pods: { a1: 'web terminating unready', b1: 'web unready' },
        calls: [
          { from: 'a2', to: 'web', expect: 'refused' },
          { from: 'A', to: 'A', ...at, expect: 'refused' },
          { from: 'outside', to: 'B', ...at, expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'terminating endpoints get nothing while ready ones exist',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web terminating', b1: 'web' },
        calls: [{ from: 'a2', to: 'web', times: 20, expect: ['b1'] }],
      },
    ],
  },
  {
    title: 'terminating endpoints serve when there are no ready ones, with internalTrafficPolicy Cluster',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web terminating', b1: 'web terminating' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'] },
          { from: 'B', to: 'web', times: many, expect: ['a1', 'b1'] },
        ],
      },
    ],
  },
  {
    title: 'local terminating endpoints serve when there are no ready local ones, with internalTrafficPolicy Local',
    steps: [
      {
        services: { web: clusterIp({ internalTrafficPolicy: 'Local' }) },
        pods: { a1: 'web terminating', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: 12, expect: ['a1'] },
          { from: 'b2', to: 'web', times: 12, expect: ['b1'] },
        ],
      },
    ],
  },
  {
    title: 'terminating endpoints serve when there are no ready ones, with externalTrafficPolicy Cluster',
    steps: [
      {
        services: { web: nodePortService() },
        pods: { a1: 'web terminating', b1: 'web terminating' },
        calls: [
          { from: 'outside', to: 'A', ...at, times: many, expect: ['a1', 'b1'] },
          { from: 'outside', to: 'B', ...at, times: many, expect: ['a1', 'b1'] },
          { from: 'A', to: 'A', ...at, times: many, expect: ['a1', 'b1'] },
        ],
      },
    ],
  },
  {
    title: 'local terminating endpoints serve when there are no ready local ones, with externalTrafficPolicy Local',
    steps: [
      {
        services: { web: nodePortService({ externalTrafficPolicy: 'Local' }) },
        pods: { a1: 'web terminating', b1: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, times: 12, expect: ['a1'], source: 'kept' },
          { from: 'outside', to: 'B', ...at, times: 12, expect: ['b1'], source: 'kept' },
        ],
      },
    ],
  },
  {
    title: 'the health check node port fails when there are only terminating endpoints, which still serve',
    steps: [
      {
        services: {
          web: loadBalancer({
            externalTrafficPolicy: 'Local',
            healthCheckNodePort: healthPort,
            ports: [tcp({ nodePort })],
          }),
        },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'outside', health: 'A', port: healthPort, expect: 1 },
          { from: 'outside', health: 'B', port: healthPort, expect: 1 },
        ],
      },
      {
        pods: { a1: 'web terminating' },
        calls: [
          { from: 'outside', health: 'A', port: healthPort, expect: 0 },
          { from: 'outside', health: 'B', port: healthPort, expect: 1 },
          { from: 'outside', to: 'balancer-A', times: 12, expect: ['a1'], source: 'kept' },
        ],
      },
    ],
  },
];
