import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, errorText } from './log.ts';
import type { LoggerOptions } from './log.ts';

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const out = { write: (line: string) => lines.push(line) };
  return { lines, logger: createLogger({ component: 'dns', out, now: () => 1_700_000_000_123, ...options }) };
}

test('a text line shows time, level, component, message and fields', () => {
  const { lines, logger } = capture();
  logger.warn('slow upstream', { address: '10.0.0.1:53', tookMs: 12, note: 'two words', absent: undefined });
  assert.deepEqual(lines, ['22:13:20.123 warn  dns: slow upstream address=10.0.0.1:53 tookMs=12 note="two words"\n']);
});

test('a JSON line is one object', () => {
  const { lines, logger } = capture({ format: 'json' });
  logger.error('failed', { error: new Error('outer', { cause: new Error('inner') }) });
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    time: '2023-11-14T22:13:20.123Z',
    level: 'error',
    component: 'dns',
    message: 'failed',
    error: 'outer: inner',
  });
});

test('whatever is quoted, a line is one line and moves no cursor', () => {
  const foreign = 'a\n00:00:00.000 error dns: forged\u001b[2J\u009b2J';
  for (const format of ['text', 'json'] as const) {
    const { lines, logger } = capture({ format });
    logger.warn(foreign, { name: foreign, short: '\u001b[2J', error: new Error(foreign) });
    assert.match(lines[0] ?? '', /^[^\p{Cc}]+\n$/u);
    if (format === 'json') assert.equal((JSON.parse(lines[0] ?? '') as { name: string }).name, foreign);
  }
});

test('lines under the level are not printed', () => {
  const { lines, logger } = capture({ level: 'warn' });
  logger.info('chatter');
  logger.debug('more chatter');
  logger.error('grave');
  assert.equal(lines.length, 1);
  assert.equal(logger.enabled('info'), false);
});

test('a child adds fields and may take another component', () => {
  const { lines, logger } = capture();
  logger.child({ zone: 'a' }).child({ component: 'proxy', port: 1 }).info('up');
  assert.match(lines[0] ?? '', /proxy: up zone=a port=1\n$/);
});

test('an error text does not repeat a cause that its message already holds', () => {
  assert.equal(errorText(new Error('read failed: EIO', { cause: new Error('EIO') })), 'read failed: EIO');
});
