import { arch, platform } from 'node:process';

/** The Kubernetes version whose features are served; clients decide by it what to ask for. */
export const kubernetesVersion = 'v1.36.0';
const fairleadVersion = '0.1.0';

/** Answers `/version`. */
export function versionInfo(): object {
  return {
    major: '1',
    minor: '36',
    emulationMajor: '1',
    emulationMinor: '36',
    minCompatibilityMajor: '1',
    minCompatibilityMinor: '35',
    gitVersion: `${kubernetesVersion}+fairlead.${fairleadVersion}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '2026-11-23T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'node',
    platform: `${platform}/${arch === 'x64' ? 'amd64' : arch}`,
  };
}
