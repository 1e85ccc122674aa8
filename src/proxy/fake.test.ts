import { declareContract } from './contract/contract.ts';
import { openFakeNodes } from './contract/fake-nodes.ts';
import { declareObjectModel } from './contract/object-model.ts';

declareContract({ title: 'fake', limits: {}, open: async () => openFakeNodes() });

declareObjectModel({ title: 'fake', open: async () => openFakeNodes(), seed: 2, steps: 3000 });
