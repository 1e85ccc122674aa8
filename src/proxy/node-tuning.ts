import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { readSysctl, writeSysctl } from '../linux/sysctl.ts';
import type { Logger } from '../observe/log.ts';

/** Settings of the node that kube-proxy makes at its start, for nodes that count on them. Undefined is left alone. */
export interface NodeTuning {
  readonly conntrackMaxPerCore?: number;
  /** Also with few processors; without effect when `conntrackMaxPerCore` is 0. */
  readonly conntrackMin?: number;
  readonly tcpEstablishedTimeoutSeconds?: number;
  readonly tcpCloseWaitTimeoutSeconds?: number;
  readonly udpTimeoutSeconds?: number;
  readonly udpStreamTimeoutSeconds?: number;
  readonly tcpBeLiberal?: boolean;
  /** -1000 to 1000: which process the kernel ends first when memory runs out. */
  readonly oomScoreAdj?: number;
}

const prefix = 'net.netfilter.nf_conntrack';
const hashSizePath = '/sys/module/nf_conntrack/parameters/hashsize';

/** Brings the settings into force; limits and times are only ever raised. What this machine refuses is logged. */
export function tuneNode(tuning: NodeTuning, logger: Logger): void {
  const max = conntrackMax(tuning, availableParallelism());
  const attempts: readonly [string, () => void][] = [
    ['conntrack max', () => raise(`${prefix}_max`, max)],
    ['conntrack hash size', () => raiseHashSize(Math.floor(max / 4))],
    ['TCP established', () => raise(`${prefix}_tcp_timeout_established`, tuning.tcpEstablishedTimeoutSeconds)],
    ['TCP close wait', () => raise(`${prefix}_tcp_timeout_close_wait`, tuning.tcpCloseWaitTimeoutSeconds)],
    ['UDP', () => raise(`${prefix}_udp_timeout`, tuning.udpTimeoutSeconds)],
    ['UDP stream', () => raise(`${prefix}_udp_timeout_stream`, tuning.udpStreamTimeoutSeconds)],
    ['TCP liberal', () => raise(`${prefix}_tcp_be_liberal`, tuning.tcpBeLiberal === true ? 1 : 0)],
    ['OOM score', () => adjustScore(tuning.oomScoreAdj)],
  ];
  for (const [what, attempt] of attempts) {
    try {
      attempt();
    } catch (error) {
      logger.warn('a setting of the node could not be made', { what, error });
    }
  }
}

/** The limit of tracked connections; 0 to leave it. */
export function conntrackMax({ conntrackMaxPerCore = 0, conntrackMin = 0 }: NodeTuning, processors: number): number {
  return conntrackMaxPerCore === 0 ? 0 : Math.max(conntrackMaxPerCore * processors, conntrackMin);
}

function raise(name: string, value: number | undefined): void {
  const now = readSysctl(name);
  if (value !== undefined && now !== undefined && Number(now) < value) writeSysctl(name, String(value));
}

/** One setting for the whole machine: only the first network namespace may write it. */
function raiseHashSize(value: number): void {
  if (!existsSync(hashSizePath) || Number(readFileSync(hashSizePath, 'utf8')) >= value) return;
  writeFileSync(hashSizePath, String(value));
}

function adjustScore(value: number | undefined): void {
  if (value !== undefined) writeFileSync('/proc/self/oom_score_adj', String(value));
}
