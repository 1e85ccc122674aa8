import type { Target } from './target.ts';
import { apiObjects } from './targets/api-objects.ts';
import { apiPatches } from './targets/api-patches.ts';
import { apiProtobuf } from './targets/api-protobuf.ts';
import { apiRequests } from './targets/api-requests.ts';
import { apiSelectors } from './targets/api-selectors.ts';
import { corefile } from './targets/corefile.ts';
import { dnsMessage } from './targets/dns-message.ts';
import { dnsQuery } from './targets/dns-query.ts';
import { edns } from './targets/edns.ts';
import { kubeconfig } from './targets/kubeconfig.ts';
import { names } from './targets/names.ts';
import { netlink } from './targets/netlink.ts';
import { settings } from './targets/settings.ts';
import { tcpFrames } from './targets/tcp-frames.ts';
import { watchEvents } from './targets/watch-events.ts';
import { zoneFile } from './targets/zone-file.ts';

/** Everything that is fuzzed. */
export const targets: readonly Target[] = [
  dnsQuery,
  dnsMessage,
  names,
  edns,
  tcpFrames,
  zoneFile,
  corefile,
  settings,
  watchEvents,
  netlink,
  kubeconfig,
  apiObjects,
  apiProtobuf,
  apiSelectors,
  apiPatches,
  apiRequests,
];
