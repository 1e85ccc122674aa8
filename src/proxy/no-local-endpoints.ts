import type { Gauge } from '../observe/metrics.ts';
import type { Frontend, FrontendKey } from '../routing/frontend.ts';

const policies = ['internal', 'external'] as const;
const families = ['IPv4', 'IPv6'] as const;

/** Keeps the gauge of Service ports whose Local policy leaves them without a backend here, by family and policy. */
export class NoLocalEndpoints {
  readonly #gauge: Gauge;
  /** Under family and policy: Service and port of each frontend that drops. */
  readonly #dropping = new Map<string, Map<FrontendKey, string>>();

  constructor(gauge: Gauge) {
    this.#gauge = gauge;
    for (const family of families) {
      for (const policy of policies) {
        this.#dropping.set(`${family} ${policy}`, new Map());
        gauge.set(0, { ip_family: family, traffic_policy: policy });
      }
    }
  }

  put(frontend: Frontend): void {
    const policy = policyThatDrops(frontend);
    this.remove(frontend.key);
    if (policy === undefined) return;
    this.#dropping
      .get(`${frontend.family} ${policy}`)
      ?.set(frontend.key, `${frontend.service} ${frontend.portName}/${frontend.protocol}`);
    this.#show(frontend.family, policy);
  }

  remove(key: FrontendKey): void {
    const family = key.startsWith('[') ? 'IPv6' : 'IPv4';
    for (const policy of policies) {
      if (this.#dropping.get(`${family} ${policy}`)?.delete(key)) this.#show(family, policy);
    }
  }

  #show(family: string, policy: string): void {
    const ports = new Set(this.#dropping.get(`${family} ${policy}`)?.values());
    this.#gauge.set(ports.size, { ip_family: family, traffic_policy: policy });
  }
}

function policyThatDrops({ kind, internal, external }: Frontend): 'internal' | 'external' | undefined {
  if (kind === 'ClusterIP') return internal.verdict === 'drop' ? 'internal' : undefined;
  return external.verdict === 'drop' ? 'external' : undefined;
}
