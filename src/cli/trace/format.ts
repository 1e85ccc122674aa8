import type { Trace, TraceOutcome, TraceStep } from '../../proxy/trace.ts';
import { alignFields } from '../objects/columns.ts';
import type { Palette } from '../palette.ts';

/** A trace for people: the question, one line per step, and the outcome. */
export function formatTrace(heading: string, trace: Trace, kernel: TraceStep | undefined, paint: Palette): string {
  const steps = kernel === undefined ? trace.steps : [...trace.steps, kernel];
  const lines = alignFields(steps.map(({ title, detail }) => [title, detail]));
  return [paint.bold(heading), '', ...lines, '', outcomeText(trace.outcome, paint), ''].join('\n');
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
