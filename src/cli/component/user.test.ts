import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUser } from './user.ts';

const passwd = (): string => 'root:x:0:0:root:/root:/bin/sh\ndns:x:901:902::/:/usr/sbin/nologin\n';

test('a user is a name of the machine, a number, or a number with a group', () => {
  assert.deepEqual(readUser('user', 'dns', passwd), { uid: 901, gid: 902 });
  assert.deepEqual(readUser('user', '65532', passwd), { uid: 65532, gid: 65532 });
  assert.deepEqual(readUser('user', '65532:100', passwd), { uid: 65532, gid: 100 });
});

test('neither root nor somebody unknown is a user to become', () => {
  for (const text of ['root', '0', '65532:0']) assert.throws(() => readUser('user', text, passwd), /is root/);
  assert.throws(() => readUser('user', 'nobody', passwd), /no user "nobody"/);
});
