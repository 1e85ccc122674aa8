import type { HostsSettings, NameMatch, RewriteRule, TemplateRule } from '../settings.ts';
import type { Directive } from './blocks.ts';
import type { DirectiveReader } from './draft.ts';
import type { Token } from './tokens.ts';
import {
  readChoice,
  readDuration,
  readExpression,
  readNumber,
  readRcode,
  readType,
  readZone,
  readZones,
  wrong,
} from '../values.ts';
import { nameKey } from '../../wire/names.ts';
import { onlyArgument, readOptions } from './options.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const matchKinds = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const;

/** `rewrite [continue|stop] FIELD …`. */
export const readRewrite: DirectiveReader = (directive, { server, note }) => {
  const [first, ...more] = directive.args;
  const isContinue = first?.text === 'continue';
  const args = isContinue || first?.text === 'stop' ? more : directive.args;
  const [field, ...rest] = args;
  if (field === undefined) throw wrong(directive.name, 'rewrite needs what to rewrite: name, type or ttl');
  const rules: Readonly<Record<string, () => RewriteRule>> = {
    name: () =>
      readNameRule(directive, rest, !isContinue, () =>
        note(directive, 'owners of records are always changed back, and names inside records never'),
      ),
    type: () => {
      const [from, to] = rest;
      if (from === undefined || to === undefined) throw wrong(field, 'rewrite type needs two types');
      return { kind: 'type', from: readType(from), to: readType(to), isLast: !isContinue };
    },
    ttl: () => readTtlRule(directive, rest, !isContinue),
  };
  const read = Object.hasOwn(rules, field.text) ? rules[field.text] : undefined;
  if (read === undefined)
    throw wrong(field, `rewrite ${field.text} is not supported (supported: ${Object.keys(rules).join(', ')})`);
  server.rewrite = [...server.rewrite, read()];
};

function readMatch(directive: Directive, args: readonly Token[]): { match: NameMatch; rest: readonly Token[] } {
  const kind = matchKinds.find((each) => each === args[0]?.text);
  const [pattern, ...rest] = kind === undefined ? args : args.slice(1);
  if (pattern === undefined) throw wrong(directive.name, 'rewrite: the name to match is missing');
  if (kind === 'regex') return { match: { kind, text: readExpression(pattern) }, rest };
  return { match: { kind: kind ?? 'exact', text: nameKey(pattern.text) }, rest };
}

function readNameRule(
  directive: Directive,
  args: readonly Token[],
  isLast: boolean,
  onAnswer: () => void,
): RewriteRule {
  const { match, rest } = readMatch(directive, args);
  const [to, answer, ...more] = rest;
  if (to === undefined) throw wrong(directive.name, 'rewrite name needs the name to ask for instead');
  if (answer !== undefined) {
    const [kind] = more;
    if (answer.text !== 'answer' || (kind?.text !== 'auto' && kind?.text !== 'name'))
      throw wrong(
        answer,
        `"${[answer, ...more].map(({ text }) => text).join(' ')}" is not supported after rewrite name`,
      );
    onAnswer();
  }
  return { kind: 'name', match, to: nameKey(to.text), isLast };
}

function readTtlRule(directive: Directive, args: readonly Token[], isLast: boolean): RewriteRule {
  const { match, rest } = readMatch(directive, args);
  const [value] = rest;
  const [, least, dash, most] = /^(\d*)(-?)(\d*)$/.exec(value?.text ?? '') ?? [];
  if (value === undefined || least === undefined || (least === '' && !most)) {
    throw wrong(value ?? directive.name, 'rewrite ttl needs seconds, or a range such as 30-300');
  }
  const min = least === '' ? 0 : Number(least);
  const max = dash === '' ? min : most ? Number(most) : 0x7fffffff;
  return { kind: 'ttl', match, seconds: { min, max }, isLast };
}

/** `hosts [FILE [ZONES…]] { lines and options }`. */
export const readHosts: DirectiveReader = (directive, { server, path, note }) => {
  const [file, ...zones] = directive.args;
  const draft: Mutable<HostsSettings> = {
    zones: readZones(zones, server.zones),
    file: file === undefined ? (directive.block.some(isHostLine) ? undefined : '/etc/hosts') : path(file.text),
    lines: directive.block
      .filter(isHostLine)
      .map(({ name, args }) => [name, ...args].map(({ text }) => text).join(' ')),
    ttlSeconds: 3600,
    reverse: true,
    fallthrough: [],
  };
  const options = { ...directive, block: directive.block.filter((option) => !isHostLine(option)) };
  readOptions(options, {
    ttl: (option) => (draft.ttlSeconds = readNumber(onlyArgument(option), 1, 65_535)),
    no_reverse: () => (draft.reverse = false),
    reload: (option) => note(option, 'a hosts file is looked at every 5 seconds'),
    fallthrough: ({ args }) => (draft.fallthrough = args.length === 0 ? ['.'] : args.map(readZone)),
  });
  server.hosts = draft;
};

function isHostLine({ name }: Directive): boolean {
  return /^[\d.]+$|:/.test(name.text);
}

/** `template CLASS TYPE [ZONES…] { … }`. */
export const readTemplate: DirectiveReader = (directive, { server, note }) => {
  const [qclass, type, ...zones] = directive.args;
  if (qclass === undefined || type === undefined) throw wrong(directive.name, 'template needs a class and a type');
  readChoice(qclass, ['IN', 'ANY']);
  const draft: Mutable<TemplateRule> = {
    zones: readZones(zones, server.zones),
    type: readType(type),
    match: [],
    answers: [],
    authorities: [],
    additionals: [],
    rcode: 'NOERROR',
    fallthrough: [],
  };
  readOptions(directive, {
    match: ({ args }) => (draft.match = [...draft.match, ...args.map(readExpression)]),
    answer: (option) => (draft.answers = [...draft.answers, readPattern(onlyArgument(option))]),
    authority: (option) => (draft.authorities = [...draft.authorities, readPattern(onlyArgument(option))]),
    additional: (option) => (draft.additionals = [...draft.additionals, readPattern(onlyArgument(option))]),
    rcode: (option) => (draft.rcode = readRcode(onlyArgument(option))),
    fallthrough: ({ args }) => (draft.fallthrough = args.length === 0 ? ['.'] : args.map(readZone)),
    upstream: (option) => note(option, 'aliases are always followed'),
  });
  server.templates = [...server.templates, draft];
};

/** `{{ .Name }}`, `{{ index .Match 1 }}` and `{{ .Group.name }}` become `{name}`, `{1}` and `{name}`; other actions are refused. */
function readPattern(token: Token): string {
  return token.text.replaceAll(/\{\{\s*(.*?)\s*\}\}/g, (_, action: string) => {
    const [, field] = /^\.(Name|Type|Class|Zone)$/.exec(action) ?? [];
    const [, group] =
      /^(?:index \.Match "?(\d+)"?|index \.Group "(\w+)"|\.Group\.(\w+))$/
        .exec(action)
        ?.filter((each) => each !== undefined) ?? [];
    const name = field?.toLowerCase() ?? group;
    if (name === undefined) throw wrong(token, `"{{ ${action} }}" is not supported in a template`);
    return `{${name}}`;
  });
}

/** `file PATH [ZONES…] { reload DURATION }`. */
export const readFile: DirectiveReader = (directive, { server, path, note }) => {
  const [file, ...zones] = directive.args;
  if (file === undefined) throw wrong(directive.name, 'file needs the path of a zone file');
  let reloadSeconds = 60;
  readOptions(directive, {
    reload: (option) => (reloadSeconds = readDuration(onlyArgument(option), true) / 1000),
    upstream: (option) => note(option, 'aliases are always followed'),
  });
  server.files = [...server.files, { path: path(file.text), zones: readZones(zones, server.zones), reloadSeconds }];
};
