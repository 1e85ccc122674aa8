/** Names with fewer dots are first looked for below the search domains (`options ndots:5` of a Pod). */
const ndots = 5;

/**
 * The names that a Pod's resolver would ask for, in order (resolv.conf(5): `search`, `ndots`). A name that ends with a dot
 * is asked for as it is; so is an address, which is looked up in reverse.
 */
export function candidateNames(name: string, search: readonly string[]): readonly string[] {
  if (name.endsWith('.') || isAddress(name)) return [name];
  const exact = `${name}.`;
  const completed = search.map((domain) => `${name}.${domain}.`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [exact, ...completed] : [...completed, exact];
}

function isAddress(name: string): boolean {
  return name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}
