import { isolateNetwork } from '../linux/namespaces.ts';
import { declarePlaneChanges } from './testing/plane-changes.ts';

isolateNetwork();

declarePlaneChanges(['nftables', 'ipvs', 'nftables']);
