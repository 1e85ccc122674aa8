import type { Service, ServicePort } from '../api/core/service.ts';
import type { Cidr } from '../lib/cidr.ts';
import { placesOf } from './addresses.ts';
import type { AddressRules, ServiceAddress } from './addresses.ts';
import { affinityOf } from './affinity.ts';
import { endpointsOfPort } from './endpoints.ts';
import type { WantedPort } from './endpoints.ts';
import { frontendKey } from './frontend.ts';
import type { Frontend, FrontendKey, FrontendKind, Protocol } from './frontend.ts';
import { objectKey, plainName } from './labels.ts';
import type { Note } from './notice.ts';
import { policyOf, targetsOf } from './policy.ts';
import type { PortTargets } from './policy.ts';
import { selectEndpoints } from './selection.ts';
import { settingsOf } from './settings.ts';
import type { SettingDefaults, Settings } from './settings.ts';
import { isPort, readProtocol } from './slice.ts';
import type { ReadSlice } from './slice.ts';
import { SlowStart } from './slow-start.ts';
import type { Clock, Growth, Openings } from './slow-start.ts';
import { readSourceRanges, sourceRangesOf } from './source-ranges.ts';

/** What a decision depends on besides the objects of the Service. */
export interface Circumstances extends AddressRules {
  readonly defaults: SettingDefaults;
  /** Undefined where nothing depends on time. */
  readonly clock: Clock | undefined;
}

/** What a Service asks for. */
export interface Asked {
  readonly frontends: readonly Frontend[];
  /** Of a Service with slow start. */
  readonly growth: Growth | undefined;
}

const nothing: Asked = { frontends: [], growth: undefined };

/**
 * Every frontend of one Service, from scratch: its addresses times its ports, and a node port per family. Where one key
 * comes up twice in a Service, the first in the order of `placesOf` stays. What is wrong with the Service or its slices
 * is noted, and left out.
 */
export function frontendsOf(
  service: Service,
  slices: readonly ReadSlice[],
  circumstances: Circumstances,
  openings: Openings | undefined,
  note: Note,
): Asked {
  const { families, addresses } = placesOf(service, circumstances, note);
  if (families.size === 0) return nothing;
  for (const { reason, message } of slices.flatMap((slice) => slice.problems)) note(reason, message);
  const { defaults, clock } = circumstances;
  const settings = settingsOf(service, defaults, note);
  const hasSlowStart = settings.slowStartMs > 0 && clock !== undefined;
  const context: Context = {
    service,
    slices,
    circumstances,
    settings,
    slowStart: hasSlowStart ? new SlowStart(settings.slowStartMs, clock, openings) : undefined,
    affinity: affinityOf(service),
    ranges: readSourceRanges(service, note),
  };
  const ports = readPorts(service, note);
  const frontends = new Map<FrontendKey, Frontend>();
  for (const family of families) {
    const ofFamily = addresses.filter((address) => address.family === family);
    for (const port of ports) {
      for (const frontend of frontendsOfPort(context, port, family, ofFamily)) {
        if (!frontends.has(frontend.key)) frontends.set(frontend.key, frontend);
      }
    }
  }
  return { frontends: [...frontends.values()], growth: context.slowStart?.end() };
}

/** What the frontends of one Service have in common. */
interface Context {
  readonly service: Service;
  readonly slices: readonly ReadSlice[];
  readonly circumstances: Circumstances;
  readonly settings: Settings;
  readonly slowStart: SlowStart | undefined;
  readonly affinity: Frontend['affinity'];
  readonly ranges: readonly Cidr[];
}

interface ReadPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly nodePort: number | undefined;
}

function readPorts({ spec }: Service, note: Note): readonly ReadPort[] {
  const hasNodePorts = spec?.type === 'NodePort' || spec?.type === 'LoadBalancer';
  return (spec?.ports ?? []).flatMap((it: ServicePort) => {
    const { name = '', port } = it;
    const protocol = readProtocol(it.protocol);
    const nodePort = hasNodePorts && isPort(it.nodePort) ? it.nodePort : undefined;
    if (isPort(port) && protocol !== undefined) return [{ name, port, protocol, nodePort }];
    const words = ['port', `${port}/${it.protocol}`, name].filter((word) => word !== '').join(' ');
    note('InvalidPort', `${words} is no port: the Service does not answer on it`);
    return [];
  });
}

function* frontendsOfPort(
  context: Context,
  port: ReadPort,
  family: 'IPv4' | 'IPv6',
  addresses: readonly ServiceAddress[],
): Generator<Frontend> {
  const lastPort = context.settings.lastPorts.get(port.name);
  const wanted = { family, name: port.name, protocol: port.protocol };
  const targets = targetsAt(context, lastPort === undefined ? wanted : { ...wanted, portNumber: port.port });
  for (const address of addresses) {
    yield frontendOf(context, port, { ...address, port: port.port, lastPort }, targets);
  }
  if (port.nodePort === undefined) return;
  const where = { kind: 'NodePort', family, address: undefined, port: port.nodePort, lastPort: undefined } as const;
  yield frontendOf(context, port, where, lastPort === undefined ? targets : targetsAt(context, wanted));
}

function targetsAt({ slices, circumstances, slowStart }: Context, wanted: WantedPort): PortTargets {
  const selection = selectEndpoints(endpointsOfPort(slices, wanted), circumstances.place);
  if (slowStart === undefined) return targetsOf(selection);
  const { family, name, protocol, portNumber = '' } = wanted;
  return targetsOf(slowStart.apply(`${family} ${name} ${protocol} ${portNumber}`, selection));
}

/** Where a frontend is, and as what. */
type Where = Pick<Frontend, 'family' | 'address' | 'port' | 'lastPort'> & { readonly kind: FrontendKind };

function frontendOf(context: Context, { name, protocol }: ReadPort, where: Where, targets: PortTargets): Frontend {
  const { service, settings, affinity, ranges, circumstances } = context;
  const { kind, family, address, port, lastPort } = where;
  const isBalanced = kind === 'LoadBalancer' && address !== undefined;
  return {
    key: frontendKey(family, address, port, protocol),
    kind,
    family,
    address,
    port,
    protocol,
    service: plainName(objectKey(service)),
    portName: plainName(name),
    affinity,
    lastPort,
    scheduler: settings.scheduler,
    resetAfterSeconds: settings.resetAfterSeconds,
    sourceRanges: isBalanced
      ? sourceRangesOf(ranges, { kind, family, address }, circumstances.place.addresses)
      : undefined,
    ...policyOf(service, kind, targets),
  };
}
