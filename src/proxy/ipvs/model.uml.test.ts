import { isolateNetwork } from '../../linux/namespaces.ts';
import { declareObjectModel } from '../contract/object-model.ts';
import { openTwoNodes } from '../contract/two-nodes.ts';

isolateNetwork();

declareObjectModel({ title: 'IPVS', open: () => openTwoNodes({ plane: 'ipvs' }), seed: 2, steps: 1000 });
