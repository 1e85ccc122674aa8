import { buildReply, readReply } from '../reply.ts';
import type { ReplyParts } from '../reply.ts';
import type { NameMatch, RewriteRule } from '../settings/settings.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { escapeText, formatName, nameKey, parseName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { isTransfer, typeNumber } from '../wire/types.ts';
import { askInstead, mapAnswer } from './answers.ts';
import type { HandlerMaker } from './handler.ts';

/** What became of a question: another question, and bounds for the TTL of its answer. */
interface Rewritten {
  readonly query: Query;
  readonly ttl: { readonly min: number; readonly max: number } | undefined;
}

/** Asks for something else than was asked, and answers as if it had not. */
export const rewriteQuestion: HandlerMaker = ({ rewrite }) => {
  if (rewrite.length === 0) return undefined;
  const rules = rewrite.map(ruleOf);
  return {
    name: 'rewrite',
    around(query, next) {
      if (isTransfer(query.type)) return next(query);
      const { query: changed, ttl } = applyRules(rules, query);
      if (changed === query && ttl === undefined) return next(query);
      return mapAnswer(next(changed), (reply) =>
        buildReply(query, { ...changeBack(readReply(changed, reply), changed, query, ttl), owner: undefined }),
      );
    },
  };
};

interface Rule {
  readonly apply: (state: Rewritten) => Rewritten | undefined;
  readonly isLast: boolean;
}

function applyRules(rules: readonly Rule[], query: Query): Rewritten {
  let state: Rewritten = { query, ttl: undefined };
  for (const { apply, isLast } of rules) {
    const next = apply(state);
    if (next === undefined) continue;
    state = next;
    if (isLast) return state;
  }
  return state;
}

function ruleOf(rule: RewriteRule): Rule {
  if (rule.kind === 'type') return typeRule(rule);
  const match = matcherOf(rule.match);
  const change = (state: Rewritten): Rewritten | undefined => {
    const found = match(textOf(state.query.key));
    if (found === undefined) return undefined;
    if (rule.kind === 'ttl') return { ...state, ttl: rule.seconds };
    const name = parseName(replacement(rule.match, found, rule.to));
    return name === undefined
      ? undefined
      : { ...state, query: { ...askInstead(state.query, { name }), depth: state.query.depth } };
  };
  return { apply: change, isLast: rule.isLast };
}

function typeRule({ from, to, isLast }: RewriteRule & { kind: 'type' }): Rule {
  const [asked, instead] = [typeNumber(from), typeNumber(to)];
  return {
    isLast,
    apply: (state) =>
      state.query.type === asked && instead !== undefined
        ? { ...state, query: { ...askInstead(state.query, { type: instead }), depth: state.query.depth } }
        : undefined,
  };
}

/** As names are written, without a last dot. */
function patternOf(text: string): string {
  return escapeText(text.replace(/(?<=.)\.$/, ''));
}

/** What a pattern found in a name: the name and the groups of an expression. */
interface Found {
  readonly text: string;
  readonly groups: readonly (string | undefined)[];
}

/** Matches names in lower case without their last dot. */
function matcherOf({ kind, text }: NameMatch): (name: string) => Found | undefined {
  const pattern = patternOf(text);
  if (kind === 'regex') {
    const expression = new RegExp(text, 'i');
    return (name) => {
      const found = expression.exec(name) ?? expression.exec(`${name}.`);
      return found === null ? undefined : { text: name, groups: [...found] };
    };
  }
  const fits: Record<typeof kind, (name: string) => boolean> = {
    exact: (name) => name === pattern,
    prefix: (name) => name.startsWith(pattern),
    suffix: (name) => name.endsWith(pattern),
    substring: (name) => name.includes(pattern),
  };
  return (name) => (fits[kind](name) ? { text: name, groups: [] } : undefined);
}

function replacement({ kind, text }: NameMatch, found: Found, to: string): string {
  const pattern = patternOf(text);
  const instead = to.replace(/(?<=.)\.$/, '');
  switch (kind) {
    case 'exact':
      return instead;
    case 'prefix':
      return instead + found.text.slice(pattern.length);
    case 'suffix':
      return found.text.slice(0, -pattern.length) + instead;
    case 'substring':
      return found.text.replaceAll(pattern, instead);
    case 'regex':
      return instead.replaceAll(/\{(\d+)\}/g, (_, number) => found.groups[Number(number)] ?? '');
  }
}

function textOf(name: Name): string {
  const text = formatName(name);
  return text === '.' ? text : text.slice(0, -1);
}

/** Records of the name that was asked for instead get the name that was asked; times are brought within bounds. */
function changeBack(parts: ReplyParts, changed: Query, query: Query, ttl: Rewritten['ttl']): ReplyParts {
  const back = (record: ResourceRecord): ResourceRecord => ({
    ...record,
    name: nameKey(record.name) === changed.key ? query.name : record.name,
    ttl: ttl === undefined ? record.ttl : Math.min(ttl.max, Math.max(ttl.min, record.ttl)),
  });
  return { ...parts, answers: parts.answers?.map(back), additionals: parts.additionals?.map(back) };
}
