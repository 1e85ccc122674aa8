import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { playScenario } from './testing/play.ts';
import { readScript } from './testing/script.ts';

const folder = import.meta.dirname;

for (const name of readdirSync(folder)
  .filter((each) => each.endsWith('.txt'))
  .toSorted()) {
  const script = readScript(readFileSync(join(folder, name), 'utf8'), `src/dns/scenarios/${name}`);
  test(`${script.title} (${name})`, () => playScenario(script));
}

const objects = 'api has\n  Namespace shop\n  Service shop/cart 10.96.0.1 http:80\n';
const asks = 'client asks cart.shop.svc.cluster.local A\n';

/** What comes behind `# x` and the objects, and what is said about it. */
const mistakes: readonly [title: string, text: string, message: string][] = [
  [
    'another answer',
    `${asks}expect NOERROR AA RA\n  cart.shop.svc.cluster.local. 5 A 10.96.0.2\n`,
    [
      'x.txt:6: client asks cart.shop.svc.cluster.local A (line 5)',
      '  wanted  NOERROR AA RA',
      '          cart.shop.svc.cluster.local. 5 A 10.96.0.2',
      '  got     NOERROR AA RA',
      '          cart.shop.svc.cluster.local. 5 A 10.96.0.1',
    ].join('\n'),
  ],
  ['an answer that nobody looks at', asks, 'x.txt:5: the scenario does not say what is expected'],
  ['no question', 'expect NOERROR\n', 'x.txt:5: no question is left'],
  ['an unknown step', 'client sings\n', 'x.txt:5: "client sings" is no step'],
  [
    'an unknown object',
    'watch ADDED Cat shop/tom\n',
    'x.txt:5: "Cat" is none of the kinds that have one line: Namespace, Node, Pod, Service, EndpointSlice, ServiceImport',
  ],
  ['a change of nothing', 'watch MODIFIED Service shop/no 10.96.0.9\n', 'x.txt:5: the API has no such object'],
  [
    'an upstream that is asked unseen',
    'client asks www.example.com A\nexpect no answer yet\n',
    'x.txt:6: before this the scenario does not say "upstream 192.0.2.1 is asked www.example.com A"',
  ],
  [
    'an upstream that is not asked',
    'upstream 192.0.2.1 is asked www.example.com A\n',
    'x.txt:5: wanted  upstream 192.0.2.1 is asked www.example.com A\n  got     no upstream is asked',
  ],
  ['an answer of an upstream that was not asked', 'upstream 192.0.2.1 refuses\n', 'x.txt:5: 192.0.2.1 was not asked'],
];

for (const [title, text, message] of mistakes) {
  test(`a scenario with ${title} fails where it is said`, async () => {
    await assert.rejects(playScenario(readScript(`# x\n${objects}${text}`, 'x.txt')), { message });
  });
}
