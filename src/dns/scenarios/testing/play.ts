import type { ApiObject } from '../../../api/meta/object-meta.ts';
import { questionOf } from '../../dig.ts';
import { readSettingsFile } from '../../settings/file/settings-file.ts';
import type { DnsSettings } from '../../settings/settings.ts';
import type { Transport } from '../../client.ts';
import { optionCodes, writeEdns } from '../../wire/edns.ts';
import { readMessage } from '../../wire/message.ts';
import { flags, rcodes } from '../../wire/types.ts';
import { writeMessage } from '../../wire/writer.ts';
import type { MessageToWrite } from '../../wire/writer.ts';
import { parseRecord } from '../../zone-file/parse.ts';
import { answerText } from './answer-text.ts';
import { describedBy, describedByYaml } from './objects.ts';
import type { Described } from './objects.ts';
import { ScenarioError } from './script.ts';
import type { Script, Step } from './script.ts';
import type { Manner } from './upstreams.ts';
import { World } from './world.ts';

const standardSettings = `
servers:
- listen: [10.96.0.10]
  cluster: { cidrs: [10.96.0.0/16, 10.244.0.0/16] }
  cache:
  forward: [{ to: [192.0.2.1, 192.0.2.2], policy: sequential }]
`;

/** A question of a client; the answer is undefined while there is none. */
interface Question {
  readonly step: Step;
  answer: Buffer | undefined;
}

/** What is true while a scenario is played. */
interface Play {
  readonly script: Script;
  readonly world: World;
  settings: DnsSettings;
  /** Questions whose answers nobody has looked at, the oldest first. */
  readonly asked: Question[];
  /** What clients have of cookies: their half, and what the server has last added. */
  cookie: Buffer;
}

type Act = (play: Play, step: Step, words: readonly (string | undefined)[]) => void | Promise<void>;

/** Every step there is; README.md explains them. */
const acts: readonly (readonly [RegExp, Act])[] = [
  [/^settings$/, becomeSettings],
  [/^api has$/, putAll],
  [/^api (goes away|is back)$/, ({ world }, _, [what]) => world.setAway(what === 'goes away')],
  [/^watch (ADDED|MODIFIED|DELETED)(?: (.+))?$/, changeObject],
  [/^watch breaks$/, ({ world }) => world.api.disconnect()],
  [/^watch expires$/, expireWatch],
  [
    /^watch (loses events|is whole again)$/,
    ({ world }, _, [what]) => void (world.api.losesEvents = what === 'loses events'),
  ],
  [/^server (?:re)?starts$/, ({ world, settings }) => world.start(settings)],
  [/^server is told to end within (\d+)s$/, ({ world }, _, [seconds]) => world.leave(Number(seconds) * 1000)],
  [/^at \+(\d+)(ms|s|m|h)$/, ({ world }, _, [count, unit]) => world.clock.advance(Number(count) * msOf(unit))],
  [/^client asks (\S+) (\S+)(.*)$/, askQuestion],
  [/^client shows its cookie(?: from (\S+))?$/, showCookie],
  [/^expect (.+?)( in order)?$/, expectAnswer],
  [/^upstream \S+ is asked /, expectAsked],
  [/^upstream (\S+) (answers|fails|refuses|truncates|stays silent) ?(\S+)?$/, answerAsked],
  [
    /^upstream (\S+) is (down|scripted|looping)$/,
    ({ world }, _, [at, manner]) => world.upstreams.become(at ?? '', manner as Manner),
  ],
  [/^metric (\S+) is (\d+)$/, expectMetric],
];

/** Plays a scenario. Rejects with ScenarioError at the first step that is wrong, or goes otherwise than it says. */
export async function playScenario(script: Script): Promise<void> {
  await using world = new World();
  const play: Play = {
    script,
    world,
    settings: settingsOf(standardSettings, 'standard settings'),
    asked: [],
    cookie: Buffer.from('0102030405060708', 'hex'),
  };
  for (const step of script.steps) await playStep(play, step);
  await world.clock.settle();
  checkUnsaid(play, script.steps.at(-1)?.line ?? 1);
  const [left] = play.asked;
  if (left !== undefined) throw wrong(play, left.step, 'the scenario does not say what is expected');
}

async function playStep(play: Play, step: Step): Promise<void> {
  const { world } = play;
  const found = acts.map(([pattern, act]) => ({ act, match: pattern.exec(step.text) })).find(({ match }) => match);
  if (!found?.match) throw wrong(play, step, `"${step.text}" is no step`);
  const isAboutServer = /^(?:at|client|upstream \S+ is asked|expect|metric) /.test(step.text);
  if (isAboutServer && !world.isStarted) await world.start(play.settings);
  if (!step.text.startsWith('upstream')) checkUnsaid(play, step.line);
  await found.act(play, step, found.match.slice(1));
  await world.clock.settle();
}

function wrong({ script }: Play, { line }: Pick<Step, 'line'>, what: string): ScenarioError {
  return new ScenarioError(script.file, line, what);
}

/** An upstream that is asked more than the scenario says would go unseen. */
function checkUnsaid(play: Play, line: number): void {
  const unsaid = play.world.upstreams.unsaid();
  if (unsaid !== undefined) throw wrong(play, { line }, `before this the scenario does not say "${unsaid}"`);
}

function msOf(unit: string | undefined): number {
  return { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit ?? ''] ?? Number.NaN;
}

function becomeSettings(play: Play, step: Step): void {
  play.settings = settingsOf(
    step.body.map(({ text }) => text).join('\n'),
    `${play.script.file}:${step.line}: settings`,
  );
}

function settingsOf(text: string, file: string): DnsSettings {
  return readSettingsFile(text, { file, path: (path) => path, resolvers: () => undefined });
}

function putAll(play: Play, { body }: Step): void {
  for (const { line, text } of body)
    put(
      play,
      described(play, { line }, () => describedBy(text)),
    );
}

function described(play: Play, at: Pick<Step, 'line'>, make: () => Described): Described {
  try {
    return make();
  } catch (error) {
    throw wrong(play, at, error instanceof Error ? error.message : String(error));
  }
}

function put({ world }: Play, { kind, object }: Described): void {
  world.api.put(kind, object);
}

function changeObject(play: Play, step: Step, [type, text]: readonly (string | undefined)[]): void {
  const yaml = step.body.map((each) => each.text).join('\n');
  const each = described(play, step, () => (text === undefined ? describedByYaml(yaml) : describedBy(text)));
  const isThere = play.world.api.objects(each.kind).some((other) => isSame(other, each.object));
  if (isThere !== (type !== 'ADDED'))
    throw wrong(play, step, `the API has ${isThere ? 'it already' : 'no such object'}`);
  const { name = '', namespace } = each.object.metadata;
  if (type === 'DELETED') play.world.api.remove(each.kind, name, namespace);
  else put(play, each);
}

function isSame({ metadata: a }: ApiObject, { metadata: b }: ApiObject): boolean {
  return a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
}

/** The API forgets its history, and ends the watch. */
function expireWatch({ world }: Play): void {
  world.api.compact();
  world.api.disconnect();
}

function askQuestion(play: Play, step: Step, [name = '', type = '', rest = '']: readonly (string | undefined)[]): void {
  const words = rest.split(' ').filter(Boolean);
  const from = words.includes('from') ? words[words.indexOf('from') + 1] : undefined;
  const unknown = words.find(
    (word) => word !== from && !['from', 'tcp', 'do', 'cd', 'cookie', 'no-rd', 'no-edns'].includes(word),
  );
  if (unknown !== undefined) throw wrong(play, step, `"${unknown}" says nothing about a question`);
  const has = (word: string): boolean => words.includes(word);
  const options = has('cookie') ? cookieOption(play.cookie) : undefined;
  const packet = writeMessage({
    id: 4711,
    flags: (has('no-rd') ? 0 : flags.RD) | (has('cd') ? flags.CD : 0),
    questions: [questionOf(name, type)],
    opt: has('no-edns') ? undefined : writeEdns(0, has('do'), undefined, options),
  });
  send(play, step, packet, has('tcp') ? 'tcp' : 'udp', from);
}

/** Asks nothing but for a cookie, or whether the one it has is good (RFC 7873 5.4). */
function showCookie(play: Play, step: Step, [from]: readonly (string | undefined)[]): void {
  const opt = writeEdns(0, false, undefined, cookieOption(play.cookie));
  send(play, step, writeMessage({ id: 4711, flags: 0, questions: [], opt }), 'udp', from);
}

function cookieOption(cookie: Uint8Array): Uint8Array {
  return Uint8Array.from([0, optionCodes.cookie, 0, cookie.length, ...cookie]);
}

function send(play: Play, step: Step, packet: Buffer, transport: Transport, from = '10.244.9.9'): void {
  const question: Question = { step, answer: undefined };
  play.asked.push(question);
  void play.world.ask(packet, transport, from).then((answer) => {
    question.answer = Buffer.from(answer);
    play.cookie = cookieIn(question.answer) ?? play.cookie;
  });
}

function cookieIn(answer: Buffer): Buffer | undefined {
  const message = answer.length === 0 ? undefined : readMessage(answer);
  if (message === undefined || 'malformed' in message) return undefined;
  const found = message.edns?.options.find(({ code }) => code === optionCodes.cookie);
  return found && Buffer.from(found.data);
}

/** Compares the answer to the oldest question that nobody has looked at. */
function expectAnswer(play: Play, step: Step, [headline = '', order]: readonly (string | undefined)[]): void {
  const [question] = play.asked;
  if (question === undefined) throw wrong(play, step, 'no question is left');
  const inOrder = (lines: readonly string[]) => (order === undefined ? lines.toSorted() : lines);
  const [first = '', ...records] = gotText(question);
  const got = [first, ...inOrder(records)];
  const wanted = [headline, ...inOrder(step.body.map(({ text }) => text.replaceAll(/\s+/g, ' ')))];
  if (headline === 'no answer yet' && got[0] === headline) return;
  play.asked.shift();
  if (got.join('\n') === wanted.join('\n')) return;
  const what = `${question.step.text} (line ${question.step.line})`;
  throw wrong(play, step, [what, ...labelled('wanted', wanted), ...labelled('got', got)].join('\n'));
}

function gotText({ answer }: Question): string[] {
  if (answer === undefined) return ['no answer yet'];
  if (answer.length === 0) return ['no answer ever'];
  const message = readMessage(answer);
  return 'malformed' in message ? [`malformed: ${message.malformed}`] : answerText(message);
}

function labelled(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(8)}${line}`);
}

function expectAsked(play: Play, step: Step): void {
  const got = play.world.upstreams.unsaid() ?? 'no upstream is asked';
  if (got === step.text) return play.world.upstreams.say();
  throw wrong(play, step, ['', ...labelled('wanted', [step.text]), ...labelled('got', [got])].join('\n').trimStart());
}

function answerAsked(
  play: Play,
  step: Step,
  [server = '', what, rcode = 'NOERROR']: readonly (string | undefined)[],
): void {
  const answer = what === 'stays silent' ? 'silence' : answerOf(play, step, what, rcode);
  if (!play.world.upstreams.answer(server, answer)) throw wrong(play, step, `${server} was not asked`);
}

function answerOf(play: Play, step: Step, what: string | undefined, rcode: string): Partial<MessageToWrite> {
  if (what === 'truncates') return { flags: flags.TC };
  if (what === 'fails') return { flags: rcodes.SERVFAIL };
  if (what === 'refuses') return { flags: rcodes.REFUSED };
  const number = Object.entries(rcodes).find(([name]) => name === rcode)?.[1];
  if (number === undefined) throw wrong(play, step, `"${rcode}" is no response code`);
  const records = step.body.map(({ line, text }) => ({
    isAuthority: text.startsWith('auth '),
    record: parseRecord(text.replace(/^auth /, ''), play.script.file, line),
  }));
  const of = (isAuthority: boolean) =>
    records.filter((each) => each.isAuthority === isAuthority).map(({ record }) => record);
  return { flags: number, answers: of(false), authorities: of(true) };
}

function expectMetric(play: Play, step: Step, [name = '', wanted]: readonly (string | undefined)[]): void {
  const line = play.world.metrics.split('\n').find((each) => each.startsWith(`${name} `));
  const got = line?.slice(name.length + 1) ?? '0';
  if (got !== wanted)
    throw wrong(play, step, [name, ...labelled('wanted', [wanted ?? '']), ...labelled('got', [got])].join('\n'));
}
