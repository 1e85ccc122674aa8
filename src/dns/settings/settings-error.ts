/** What is wrong with settings, and where: `Corefile:12: forward: "10.0.0" is no address`. */
export class SettingsError extends Error {
  /** Without where. */
  readonly what: string;

  constructor(file: string, line: number, what: string) {
    super(`${file}:${line}: ${what}`);
    this.name = 'SettingsError';
    this.what = what;
  }
}
