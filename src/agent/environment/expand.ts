/**
 * Replaces `$(NAME)` by `values[NAME]`, and `$$` by `$`; a reference to an unknown name stays as it is, and so does a
 * lone `$`. The rule of `command`, `args` and `env` in Pods.
 */
export function expandReferences(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return values.get(name) ?? whole;
  });
}
