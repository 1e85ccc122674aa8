import { isolateNetwork } from '../../linux/namespaces.ts';
import { declareContract } from '../contract/contract.ts';
import { declareObjectModel } from '../contract/object-model.ts';
import { openTwoNodes } from '../contract/two-nodes.ts';
import { limits } from '../limits.ts';

isolateNetwork();

const open = () => openTwoNodes({ plane: 'nftables' });

declareContract({ title: 'nftables', limits: limits.nftables, open });
declareObjectModel({ title: 'nftables', open, seed: 2, steps: 3000 });
