import { bootUml, readyModules, umlObstacle } from '../../test/uml/boot.ts';

const timeoutMs = 170_000;

/** To be called before the process leaves the machine's network, from which the kernel's modules may have to come. */
export function prepareUml(): void {
  if (umlObstacle() === undefined) readyModules();
}

/**
 * Runs a benchmark's file with the argument `ipvs` inside User-Mode Linux and returns the figures that its last line is;
 * none where User-Mode Linux cannot run. Everything takes several times as long there: only ratios say something.
 */
export async function figuresInUml(file: string): Promise<Record<string, number>> {
  const obstacle = umlObstacle();
  if (obstacle !== undefined) {
    console.error(`no figures of IPVS: ${obstacle}`);
    return {};
  }
  const command = [process.execPath, file, 'ipvs'];
  const { status, output, console: said } = await bootUml({ command, timeoutMs, memoryMb: 2048 });
  if (status !== 0) throw new Error(`the measurement inside User-Mode Linux failed: ${output}\n${said}`);
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>;
}
