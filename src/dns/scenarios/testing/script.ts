/** One line of a scenario, with the indented lines below it. */
export interface Step {
  readonly line: number;
  readonly text: string;
  readonly body: readonly BodyLine[];
}

export interface BodyLine {
  readonly line: number;
  /** With what it is indented beyond the first line of its body. */
  readonly text: string;
}

export interface Script {
  readonly file: string;
  /** The first comment. */
  readonly title: string;
  readonly steps: readonly Step[];
}

/** What is wrong with a scenario, or with the server it is about: `src/dns/scenarios/x.txt:12: …`. */
export class ScenarioError extends Error {
  constructor(file: string, line: number, what: string) {
    super(`${file}:${line}: ${what}`);
    this.name = 'ScenarioError';
  }
}

/** Reads a scenario: a step a line, lines of its body indented, comments behind `#` at the start of a line. */
export function readScript(text: string, file: string): Script {
  const steps: (Step & { readonly body: BodyLine[] })[] = [];
  let title: string | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const trimmed = raw.trim();
    if (trimmed.startsWith('#')) title ??= trimmed.slice(1).trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    if (!/^\s/.test(raw)) {
      steps.push({ line, text: trimmed, body: [] });
      continue;
    }
    const step = steps.at(-1);
    if (step === undefined) throw new ScenarioError(file, line, 'an indented line belongs to the step above it');
    step.body.push({ line, text: raw.trimEnd() });
  }
  if (title === undefined) throw new ScenarioError(file, 1, 'a scenario starts with what it shows, behind #');
  return { file, title, steps: steps.map(unindented) };
}

function unindented(step: Step): Step {
  const least = Math.min(...step.body.map(({ text }) => text.length - text.trimStart().length));
  return { ...step, body: step.body.map(({ line, text }) => ({ line, text: text.slice(least) })) };
}
