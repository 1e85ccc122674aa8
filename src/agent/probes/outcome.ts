/** What one probe found. */
export interface ProbeOutcome {
  readonly isOk: boolean;
  /** For the Unhealthy event when it failed, or a warning when it passed with one. */
  readonly output: string;
}
