/**
 * Kills a writing store process again and again, and checks after each kill that no acknowledged write is lost and none
 * half there. By hand: `node test/soak/store-kill.ts [rounds]` (200 when not said).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killRound } from '../../src/store/testing/kill-rounds.ts';

const rounds = Number(process.argv[2] ?? 200);
const folder = mkdtempSync(join(tmpdir(), 'fairlead-soak-'));
let keys = 0;
try {
  for (let round = 0; round < rounds; round++) {
    keys += await killRound(join(folder, 'store.db'), round, Math.floor(Math.random() * 150));
    if ((round + 1) % 20 === 0) console.log(`${round + 1} kills, ${keys} acknowledged keys checked, none lost`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
