/** For tests: a question in words. */
export interface Asked {
  readonly name: string;
  readonly type: string;
}

/** Numbers below a bound, the same each time (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const types = 'A AAAA SRV CNAME NS SOA TXT PTR MX DS DNAME HTTPS NAPTR CAA TYPE666 ANY A AAAA SRV'.split(' ');
const labels =
  'a b shop empty svc pod _http _tcp _udp missing x svc-0 wild * web sub 10-244-0-1 named many dns ns 96 1 cluster'.split(
    ' ',
  );

/** Names that exist in the zones, as a transfer lists them, and names near them. */
export function questionsNear(existing: readonly string[], zones: readonly string[], count: number): Asked[] {
  const pick = numbers(53);
  const oneOf = <T>(items: readonly T[]): T => items[pick(items.length)] as T;
  const change = (name: string): string => {
    const parts = name.split('.');
    switch (pick(8)) {
      case 0:
        return parts.length > 2 ? parts.slice(1).join('.') : name;
      case 1:
        return [oneOf(labels), ...parts].join('.');
      case 2:
        return [oneOf(labels), oneOf(labels), ...parts].join('.');
      case 3:
        return parts.length > 2 ? [oneOf(labels), ...parts.slice(1)].join('.') : name;
      case 4:
        return parts.with(pick(parts.length), oneOf(labels)).join('.');
      case 5:
        return name.replaceAll(/[a-z]/g, (letter) => (pick(2) === 0 ? letter : letter.toUpperCase()));
      case 6:
        return parts.length > 3 ? parts.slice(2).join('.') : name;
      default:
        return name;
    }
  };
  return Array.from({ length: count }, () => {
    const name = change(oneOf(existing));
    return { name: zones.some((zone) => name.toLowerCase().endsWith(zone)) ? name : oneOf(zones), type: oneOf(types) };
  });
}
