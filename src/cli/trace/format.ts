import type { TraceOutcome, TraceStep } from '../../proxy/trace.ts';
import { alignFields } from '../objects/columns.ts';
import type { Palette } from '../palette.ts';

/** A line of the explanation; a problem is one that the decision does not know of. */
export type ShownStep = TraceStep & { readonly isProblem?: boolean };

/** A trace for people: the question, one line per step, and the outcome. */
export function formatTrace(
  heading: string,
  steps: readonly ShownStep[],
  outcome: TraceOutcome,
  paint: Palette,
): string {
  const width = Math.max(...steps.map(({ title }) => title.length));
  const lines = steps.flatMap(({ title, detail, isProblem }) =>
    alignFields([[title, detail]], '', width).map((line) => (isProblem === true ? paint.red(line) : line)),
  );
  const problems = steps.filter(({ isProblem }) => isProblem === true).length;
  const warning =
    problems === 0 ? [] : [paint.red(`! but see ${problems === 1 ? 'the problem' : `${problems} problems`} above`)];
  return [paint.bold(heading), '', ...lines, '', outcomeText(outcome, paint), ...warning, ''].join('\n');
}

function outcomeText(outcome: TraceOutcome, paint: Palette): string {
  switch (outcome.kind) {
    case 'forwarded': {
      const count = outcome.backends.length;
      return paint.green(`→ forwarded to ${count === 1 ? 'the only backend' : `one of ${count} backends`}`);
    }
    case 'refused':
      return paint.red('→ refused: the caller gets a reset or "port unreachable" at once');
    case 'ignored':
      return paint.red('→ ignored: the caller waits until its time is over');
    case 'untouched':
      return paint.yellow('→ not touched: it goes on as the routes of this machine say');
    default:
      return '';
  }
}
