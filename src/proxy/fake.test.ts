import { declareContract } from './contract/contract.ts';
import { openFakeNodes } from './contract/fake-nodes.ts';

declareContract({ title: 'fake', limits: {}, open: async () => openFakeNodes() });
