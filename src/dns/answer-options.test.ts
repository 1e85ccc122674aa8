import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transport } from './client.ts';
import { cookieState } from './cookies.ts';
import { questionOf } from './dig.ts';
import { ask, askRaw, summary, testIdentity, testResponder } from './fixtures.ts';
import { writeEdns } from './wire/edns.ts';
import { readMessage } from './wire/message.ts';
import type { Message } from './wire/message.ts';
import { classChaos, flags, rcodes } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';

const { responder } = testResponder();

function option(code: number, data: string): Buffer {
  const bytes = Buffer.from(`${'0'.repeat(8)}${data}`, 'hex');
  bytes.writeUInt16BE(code, 0);
  bytes.writeUInt16BE(bytes.length - 4, 2);
  return bytes;
}

async function optionsOf(sent: Uint8Array, transport: Transport = 'udp'): Promise<Map<number, string>> {
  const { edns } = await ask(responder, 'cluster.local', 'SOA', {
    transport,
    opt: writeEdns(0, false, undefined, sent),
  });
  return new Map(edns?.options.map(({ code, data }) => [code, Buffer.from(data).toString('hex')]));
}

test('options are answered by their RFC or left out, never echoed', async () => {
  const sent = Buffer.concat([option(3, ''), option(8, '00010000'), option(9, ''), option(100, 'ffff')]);
  assert.deepEqual([...(await optionsOf(sent))], [[3, Buffer.from('ns1').toString('hex')]]);
  assert.deepEqual([...(await optionsOf(option(11, '')))], [], 'keepalive means nothing over UDP');
  assert.deepEqual([...(await optionsOf(option(11, ''), 'tcp'))], [[11, '0064']]);
});

test('D8: a client cookie gets a server cookie that is good for it', async () => {
  const cookie = (await optionsOf(option(10, '0011223344556677'))).get(10) ?? '';
  assert.equal(cookie.slice(0, 16), '0011223344556677');
  const { cookieSecret, now } = testIdentity;
  assert.equal(cookieState(Buffer.from(cookie, 'hex'), '192.0.2.7', cookieSecret, now() / 1000), 'good');
});

test('a malformed cookie is FORMERR (RFC 7873 5.2.2)', async () => {
  const opt = writeEdns(0, false, undefined, option(10, '001122'));
  assert.equal((await ask(responder, 'cluster.local', 'SOA', { opt })).rcode, rcodes.FORMERR);
});

test('a refusal has the cookie too, but of another version nothing is known', async () => {
  const opt = Buffer.from(writeEdns(0, false, undefined, option(10, '0011223344556677')));
  const refused = await ask(responder, 'cluster.local', 'TKEY', { opt });
  assert.deepEqual([refused.rcode, refused.edns?.options[0]?.data.length], [rcodes.NOTIMP, 24]);
  opt[6] = 1;
  const badVersion = await ask(responder, 'cluster.local', 'SOA', { opt });
  assert.deepEqual([badVersion.rcode, badVersion.edns?.options], [rcodes.BADVERS, []]);
});

test('an option that is there again and again is answered once, and the answer fits', async () => {
  const sent = Buffer.concat(Array<Buffer>(200).fill(option(3, '')));
  const { edns } = await ask(responder, 'cluster.local', 'SOA', { opt: writeEdns(0, false, undefined, sent) });
  assert.equal(edns?.options.length, 1);
});

test('answers on encrypted transports are padded when asked, and stay whole', async () => {
  const packet = writeMessage({
    id: 1,
    flags: flags.RD,
    questions: [questionOf('cluster.local', 'SOA')],
    opt: writeEdns(0, false, undefined, option(12, '')),
  });
  const padded = await askRaw(responder, packet, 'tls');
  assert.equal(padded.length, 468);
  const message = readMessage(padded);
  assert.ok(!('malformed' in message));
  assert.equal(message.answers.length, 1);
  assert.ok((await askRaw(responder, packet, 'udp')).length < 200);
});

async function chaos(name: string, type = 'TXT'): Promise<Message> {
  const questions = [{ ...questionOf(name, type), class: classChaos }];
  const message = readMessage(await askRaw(responder, writeMessage({ id: 1, flags: 0, questions })));
  assert.ok(!('malformed' in message));
  return message;
}

test('class CH says what and who answers', async () => {
  assert.deepEqual(summary(await chaos('version.bind')), ['NOERROR AA', 'version.bind. 0 CH TXT "Fairlead"']);
  assert.deepEqual(summary(await chaos('ID.server')), ['NOERROR AA', 'ID.server. 0 CH TXT "ns1"']);
  assert.deepEqual(summary(await chaos('version.bind', 'A')), ['NOERROR AA']);
  assert.deepEqual(summary(await chaos('cluster.local')), ['REFUSED']);
});
