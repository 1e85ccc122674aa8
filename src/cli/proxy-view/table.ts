import { backendName } from '../../proxy/backend-name.ts';
import { percent } from '../../proxy/differences.ts';
import type { Frontend, Target } from '../../routing/frontend.ts';
import { alignRows } from '../objects/columns.ts';
import type { PlaneInForce } from './plane-in-force.ts';

/** Backends of a line before the rest is only counted. */
const shown = 3;

/** What a plane has in force, one line a frontend; `wide` tells all of it. Sorted by Service, then as the plane gives it. */
export function frontendTable(frontends: readonly Frontend[], { counters }: PlaneInForce, wide: boolean): string[] {
  const sorted = frontends.toSorted((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : 0));
  const heading = ['SERVICE', 'FRONTEND', 'KIND', 'CONNECTIONS', ...(wide ? ['POLICY'] : []), 'BACKENDS'];
  const rows = sorted.map((frontend) => [
    serviceText(frontend),
    frontendText(frontend),
    frontend.kind,
    String(counters.get(frontend.key)?.connections ?? '-'),
    ...(wide ? [policyText(frontend)] : []),
    backendsText(frontend, wide),
  ]);
  return alignRows([heading, ...rows]);
}

function serviceText({ service, portName }: Frontend): string {
  return `${service || '<unknown>'}${portName === '' ? '' : `:${portName}`}`;
}

function frontendText({ key, port, lastPort }: Frontend): string {
  return lastPort === undefined ? key : key.replace(`:${port}/`, `:${port}-${lastPort}/`);
}

function policyText({ affinity, scheduler, masquerade, sourceRanges, kind }: Frontend): string {
  const words = [
    ...(kind === 'ClusterIP' && masquerade === 'off-cluster' ? [] : [`masquerade=${masquerade}`]),
    ...(affinity === undefined ? [] : [`affinity=${affinity.timeoutSeconds}s`]),
    ...(scheduler === undefined ? [] : [`scheduler=${scheduler}`]),
    ...(sourceRanges === undefined ? [] : [`from=${sourceRanges.join(',') || 'nobody'}`]),
  ];
  return words.join(' ') || '-';
}

function backendsText(frontend: Frontend, wide: boolean): string {
  const inside = targetText(frontend.internal, wide);
  const outside = targetText(frontend.external, wide);
  return inside === outside ? inside : `${inside} | outside: ${outside}`;
}

function targetText({ verdict, backends }: Target, wide: boolean): string {
  if (verdict !== 'forward') return `<${verdict}>`;
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const isEven = backends.every(({ weight }) => weight === backends[0]?.weight);
  const names = backends.map((backend) =>
    wide && !isEven ? `${backendName(backend)} ${percent(backend.weight / (total || 1))}` : backendName(backend),
  );
  if (wide || names.length <= shown) return names.join(', ') || '<nobody>';
  return `${names.slice(0, shown).join(', ')} + ${names.length - shown} more`;
}
