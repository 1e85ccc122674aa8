import { isolateNetwork } from '../../linux/namespaces.ts';
import { declareContract } from '../contract/contract.ts';
import { openTwoNodes } from '../contract/two-nodes.ts';
import { limits } from '../limits.ts';

isolateNetwork();

declareContract({ title: 'nftables', limits: limits.nftables, open: () => openTwoNodes({ plane: 'nftables' }) });
