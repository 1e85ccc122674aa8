import { declareContract } from '../contract/contract.ts';
import { openLoopback } from '../contract/loopback.ts';
import { declareObjectModel } from '../contract/object-model.ts';
import { limits } from '../limits.ts';
import { createUserspacePlane } from './plane.ts';

const open = (neighbour: number) => openLoopback(async (network) => createUserspacePlane(network), neighbour);

declareContract({ title: 'userspace', limits: limits.userspace, open: () => open(0) });
declareObjectModel({
  title: 'userspace',
  open: () => open(1),
  seed: 2,
  steps: 2000,
  isRefused: ({ protocol }) => protocol === 'SCTP',
});
