import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Kubectl {
  readonly path: string;
  /** Minor version: 20 for v1.20. */
  readonly minor: number;
}

function versionOf(path: string): Kubectl | undefined {
  try {
    const text = execFileSync(path, ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const parsed = JSON.parse(text) as { clientVersion: { minor: string } };
    return { path, minor: Number.parseInt(parsed.clientVersion.minor, 10) };
  } catch {
    return undefined;
  }
}

/** Every kubectl on this machine: on the PATH, and `kubectl.1.NN` beside it; one of each minor version, oldest first. */
export function kubectlVersions(): readonly Kubectl[] {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => existsSync(join(folder, 'kubectl')));
  const found = folders.flatMap((folder) => {
    const home = dirname(realpathSync(join(folder, 'kubectl')));
    const siblings = readdirSync(home).filter((name) => /^kubectl\.1\.\d+$/.test(name));
    return [...siblings.map((name) => join(home, name)), join(folder, 'kubectl')];
  });
  const byMinor = new Map<number, Kubectl>();
  for (const path of found) {
    const kubectl = versionOf(path);
    if (kubectl !== undefined && !byMinor.has(kubectl.minor)) byMinor.set(kubectl.minor, kubectl);
  }
  return [...byMinor.values()].toSorted((a, b) => a.minor - b.minor);
}
