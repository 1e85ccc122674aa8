/** The outcome of one check: `undefined` when well, else a short reason. */
export type CheckResult = string | undefined;
export type Check = () => CheckResult | Promise<CheckResult>;

export interface HealthReport {
  readonly ok: boolean;
  /** In the order of registration. */
  readonly checks: readonly { readonly name: string; readonly reason: CheckResult }[];
}

/** The checks of one question about a process, such as "is it ready?". */
export interface Health {
  /** Adds a check; disposing of the handle takes it away. Throws when the name is taken. */
  register(name: string, check: Check): Disposable;
  /** Runs every check but the `exclude`d. One that throws counts as failed with its message. */
  report(exclude?: readonly string[]): Promise<HealthReport>;
}

export function createHealth(): Health {
  const checks = new Map<string, Check>();
  return {
    register(name, check) {
      if (checks.has(name)) throw new Error(`health check ${name} is already registered`);
      checks.set(name, check);
      return { [Symbol.dispose]: () => void checks.delete(name) };
    },
    async report(exclude = []) {
      const chosen = [...checks].filter(([name]) => !exclude.includes(name));
      const results = await Promise.all(chosen.map(async ([name, check]) => ({ name, reason: await runCheck(check) })));
      return { ok: results.every(({ reason }) => reason === undefined), checks: results };
    },
  };
}

async function runCheck(check: Check): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The body that Kubernetes components answer on `/readyz?verbose`: one line a check, then the verdict. */
export function renderHealth(report: HealthReport, subject: string): string {
  const lines = report.checks.map(({ name, reason }) =>
    reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`,
  );
  return [...lines, `${subject} check ${report.ok ? 'passed' : 'failed'}`, ''].join('\n');
}
