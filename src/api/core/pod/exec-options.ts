import type { Infer } from '../../schema.ts';
import { bool, list, message, string } from '../../schema.ts';

/** What `pods/exec` runs. */

export const PodExecOptions = message(
  'core.v1.PodExecOptions',
  {
    stdin: bool(1),
    stdout: bool(2),
    stderr: bool(3),
    tty: bool(4),
    container: string(5),
    command: list(6, 'string', { required: true }),
  },
  { doc: 'What to run in a container.' },
);
export type PodExecOptions = Infer<typeof PodExecOptions>;
