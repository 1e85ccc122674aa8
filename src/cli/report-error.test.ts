import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError } from './command-error.ts';
import { SystemError } from '../linux/errno.ts';
import { PlaneUnavailableError } from '../proxy/dataplane.ts';
import { StoreCorruptError, StoreLockedError } from '../store/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { describeFailure, reportFailure } from './report-error.ts';

test('a store that another process holds is a conflict, not a defect', () => {
  const error = new StoreLockedError('/data/store.db', 7);
  assert.deepEqual(describeFailure(error), { message: error.message, code: exitCodes.conflict });
});

test('a damaged store is told without a stack', () => {
  const error = new StoreCorruptError('/data/store.db', 'file is not a database');
  assert.deepEqual(describeFailure(error), { message: error.message, code: exitCodes.failure });
});

test('a taken port says what to do', () => {
  const error = Object.assign(new Error('listen EADDRINUSE: address already in use'), {
    code: 'EADDRINUSE',
    syscall: 'listen',
  });
  assert.match(describeFailure(error).hint ?? '', /choose another address or port/);
});

test('what this machine or user cannot do is told without a stack, with its own code', () => {
  const plane = new PlaneUnavailableError('the ipvs plane cannot run here: this kernel has no IPVS');
  const hint = 'fairlead doctor looks at this machine; --plane auto takes the best plane that runs here';
  assert.deepEqual(describeFailure(plane), { message: plane.message, hint, code: exitCodes.unsupported });
  const denied = describeFailure(new SystemError('list tables', 1));
  assert.deepEqual(denied, { message: 'list tables: EPERM', hint: 'it needs root', code: exitCodes.unsupported });
});

test('what an error quotes reaches the terminal as one line without control characters, and a stack as its lines', () => {
  const print = (error: Error) => {
    const lines: string[] = [];
    reportFailure(error, { stderr: { write: (text: string) => lines.push(text) }, env: {} });
    return lines.join('');
  };
  const quoted = new CommandError('no such file: "a\nerror: forged\u001b[2J"', { code: exitCodes.notFound });
  assert.equal(print(quoted), 'error: no such file: "a\\nerror: forged\\u001b[2J"\n');
  assert.match(print(new Error('defect\u001b[2J')), /^error: Error: defect\\u001b\[2J\n +at /);
});
