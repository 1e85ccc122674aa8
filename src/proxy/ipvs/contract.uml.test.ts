import { isolateNetwork } from '../../linux/namespaces.ts';
import { declareContract } from '../contract/contract.ts';
import { openTwoNodes } from '../contract/two-nodes.ts';
import { limits } from '../limits.ts';

isolateNetwork();

declareContract({ title: 'IPVS', limits: limits.ipvs, open: () => openTwoNodes({ plane: 'ipvs' }) });
