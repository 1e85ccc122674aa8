import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCidr } from '../../lib/cidr.ts';
import { randomHardwareAddress } from '../../linux/route/links.ts';
import { openRoute } from '../../linux/route.ts';
import { readSysctl, writeSysctl } from '../../linux/sysctl.ts';
import type { AgentNetwork } from '../config.ts';
import { hostLink } from '../runtime/netns.ts';
import { installMasquerade, removeMasquerade } from './masquerade.ts';

/** What has to be put back: written before anything is changed. */
interface SavedState {
  readonly bridge: string;
  /** The host's own values of what is set, by name. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/**
 * What the host's network must be for Pods. A Pod that calls a Service whose backend is on the same bridge would be sent
 * ICMP redirects; they are wrong here, and the kernel counts them against the refusals that the Pod may be told of.
 */
const sysctls = { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.all.send_redirects': '0' } as const;

/** The bridge's name when the configuration has none. */
export const defaultBridge = 'fairlead0';

/**
 * Makes the node's network for Pods in the thread's network namespace: the bridge with the gateway address, a route for
 * Services (so that a host without default route reaches them), forwarding, and masquerade for Pod traffic that leaves
 * the cluster. What is there already stays. `dataDir` is the agent's; it remembers what `tearDownNodeNetwork` puts back.
 */
export function setUpNodeNetwork(dataDir: string, network: AgentNetwork): void {
  const bridge = network.bridge ?? defaultBridge;
  save(dataDir, {
    bridge,
    sysctls: Object.fromEntries(Object.entries(sysctls).map(([name, value]) => [name, readSysctl(name) ?? value])),
  });
  using route = openRoute();
  const existing = route.link(bridge);
  if (existing !== undefined && existing.kind !== 'bridge') throw new Error(`${bridge} exists and is no bridge`);
  // With the address of the lowest Pod's link, the gateway would be away for the others when that Pod goes.
  const hardwareAddress = randomHardwareAddress();
  const { index } = existing ?? route.createLink({ name: bridge, kind: 'bridge', alias: 'fairlead', hardwareAddress });
  route.setLink(index, { up: true });
  route.addAddress(index, `${network.gateway}/${parseCidr(network.podCidr)?.prefix ?? 24}`);
  route.replaceRoute({ destination: network.serviceCidr, linkIndex: index, source: network.gateway });
  for (const [name, value] of Object.entries(sysctls)) writeSysctl(name, value);
  writeSysctl(`net/ipv4/conf/${bridge}/send_redirects`, '0');
  installMasquerade(network);
}

/**
 * Takes away what `setUpNodeNetwork` made, and the Pods' links with it; the host's settings get their old values. Does
 * nothing when this data folder has no network.
 */
export function tearDownNodeNetwork(dataDir: string, podUids: readonly string[] = []): void {
  const saved = load(dataDir);
  if (saved === undefined) return;
  using route = openRoute();
  for (const uid of podUids) route.deleteLink(hostLink(uid));
  route.deleteLink(saved.bridge);
  removeMasquerade();
  for (const [name, value] of Object.entries(saved.sysctls)) writeSysctl(name, value);
  rmSync(savedPath(dataDir), { force: true });
}

function savedPath(dataDir: string): string {
  return join(dataDir, 'network.json');
}

function save(dataDir: string, state: SavedState): void {
  // The first value is the host's; after a crash the setting is already ours.
  if (existsSync(savedPath(dataDir))) return;
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(savedPath(dataDir), JSON.stringify(state));
}

function load(dataDir: string): SavedState | undefined {
  if (!existsSync(savedPath(dataDir))) return undefined;
  return JSON.parse(readFileSync(savedPath(dataDir), 'utf8')) as SavedState;
}
