/** What shows a title: a case of the contract by its title, or a test. */
export type Shown = string | { readonly file: string; readonly test: string };

/** One suite of the acceptance list: title → what shows it, or why nothing does. */
export interface Suite {
  readonly name: string;
  readonly titles: Readonly<Record<string, readonly Shown[] | { readonly absent: string }>>;
}
