import type { Service } from '../../api/core/service.ts';
import { nameOf, namespaceOf } from '../../api/meta/object-meta.ts';

/**
 * The variables that tell a Pod of Services: for each with a cluster IP in the Pod's namespace (when `isLinked`), and
 * always the Service `kubernetes` of namespace `default`.
 */
export function serviceLinks(
  services: readonly Service[],
  namespace: string,
  isLinked: boolean,
): readonly (readonly [string, string])[] {
  const isMaster = (each: Service) => namespaceOf(each) === 'default' && nameOf(each) === 'kubernetes';
  const chosen = new Map<string, Service>();
  for (const each of services.filter(isMaster)) chosen.set(nameOf(each), each);
  if (isLinked)
    for (const each of services.filter((one) => namespaceOf(one) === namespace)) chosen.set(nameOf(each), each);
  const sorted = [...chosen].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([, service]) => variablesOf(service));
}

function variablesOf(service: Service): readonly (readonly [string, string])[] {
  const address = service.spec.clusterIP ?? '';
  const ports = service.spec.ports ?? [];
  const first = ports[0];
  if (address === '' || address === 'None' || first === undefined) return [];
  const prefix = variableName(nameOf(service));
  const named = ports.flatMap((port) =>
    port.name ? [[`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)] as const] : [],
  );
  const host = address.includes(':') ? `[${address}]` : address;
  const links = ports.flatMap(({ port, protocol = 'TCP' }) => {
    const base = `${prefix}_PORT_${port}_${protocol}`;
    return [
      [base, `${protocol.toLowerCase()}://${host}:${port}`],
      [`${base}_PROTO`, protocol.toLowerCase()],
      [`${base}_PORT`, String(port)],
      [`${base}_ADDR`, address],
    ] as const;
  });
  return [
    [`${prefix}_SERVICE_HOST`, address],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...named,
    [`${prefix}_PORT`, `${(first.protocol ?? 'TCP').toLowerCase()}://${host}:${first.port}`],
    ...links,
  ];
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll(/[-.]/g, '_');
}
