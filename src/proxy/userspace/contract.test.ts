import { declareContract } from '../contract/contract.ts';
import { openLoopback } from '../contract/loopback.ts';
import { limits } from '../limits.ts';
import { createUserspacePlane } from './plane.ts';

declareContract({
  title: 'userspace',
  limits: limits.userspace,
  open: () => openLoopback(async (network) => createUserspacePlane(network)),
});
