/** Small steps on plain objects. Nothing here changes its arguments. */

/** The object without some of its fields. */
export function omit<T extends object, K extends keyof T>(object: T, ...names: readonly K[]): Omit<T, K> {
  const dropped: ReadonlySet<PropertyKey> = new Set<PropertyKey>(names);
  return Object.fromEntries(Object.entries(object).filter(([name]) => !dropped.has(name))) as Omit<T, K>;
}

/** The object without fields whose value is `undefined`. */
export function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
