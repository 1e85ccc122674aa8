import { readFile } from 'node:fs/promises';
import { defineCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';

/** `fairlead version`. */
export const command = defineCommand({
  name: 'version',
  summary: 'Show the version of Fairlead',
  usage: ['version'],
  options: {},
  examples: [],
  async run(context) {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    context.stdout.write(`fairlead ${JSON.parse(text).version}\n`);
    return exitCodes.ok;
  },
});
