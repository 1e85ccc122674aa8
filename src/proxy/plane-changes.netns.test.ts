import { after } from 'node:test';
import { isolateNetwork } from '../linux/namespaces.ts';
import { enterEbpfPlace } from './ebpf/testing.ts';
import { declarePlaneChanges } from './testing/plane-changes.ts';

isolateNetwork();

const place = enterEbpfPlace();
after(() => place[Symbol.asyncDispose]());

declarePlaneChanges(['nftables', 'ebpf', 'nftables'], { cgroup: place.options.cgroup });
