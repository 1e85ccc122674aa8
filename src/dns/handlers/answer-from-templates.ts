import { buildReply } from '../reply.ts';
import type { TemplateRule } from '../settings/settings.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { formatName, isWithin, parseKey } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { rcodes, typeName, typeNumber, typeNumbers } from '../wire/types.ts';
import { parseRecord } from '../zone-file/parse.ts';
import type { HandlerMaker } from './handler.ts';

/** Answers by pattern. */
export const answerFromTemplates: HandlerMaker = ({ templates }, { logger }) => {
  if (templates.length === 0) return undefined;
  const compiled = templates.map(compile);
  return {
    name: 'template',
    answer(query) {
      for (const template of compiled) {
        if (!template.concerns(query)) continue;
        const values = template.match(query);
        if (values !== undefined) {
          try {
            return buildReply(query, template.fill(values));
          } catch (error) {
            logger.error('a template made no record', { name: formatName(query.name), error });
            return buildReply(query, { rcode: rcodes.SERVFAIL, authoritative: false });
          }
        }
        if (!template.isOpen(query)) return buildReply(query, { rcode: rcodes.NXDOMAIN });
      }
      return undefined;
    },
  };
};

type Values = ReadonlyMap<string, string>;

function compile(rule: TemplateRule) {
  // The longest that holds a name is its zone.
  const zones = rule.zones.map((zone) => parseKey(zone) ?? '\0').toSorted((a, b) => b.length - a.length);
  const open = rule.fallthrough.map((zone) => parseKey(zone) ?? '\0');
  const type = typeNumber(rule.type);
  const expressions = rule.match.map((text) => new RegExp(text, 'i'));
  const records = (texts: readonly string[], values: Values): ResourceRecord[] =>
    texts.map((text) => parseRecord(expand(text, values), 'template', 1));
  const rcode = Object.entries(rcodes).find(([name]) => name === rule.rcode)?.[1] ?? rcodes.NOERROR;
  return {
    concerns: (query: Query): boolean =>
      (type === typeNumbers.ANY || query.type === type) && zones.some((zone) => isWithin(query.key, zone)),
    isOpen: (query: Query): boolean => open.some((zone) => isWithin(query.key, zone)),
    match(query: Query): Values | undefined {
      const name = formatName(query.name);
      const zone = zones.find((each) => isWithin(query.key, each)) ?? '\0';
      const basic = new Map([
        ['name', name],
        ['type', typeName(query.type)],
        ['class', 'IN'],
        ['zone', formatName(zone)],
      ]);
      if (expressions.length === 0) return basic;
      const found = expressions.map((expression) => expression.exec(name)).find((each) => each !== null);
      if (found === undefined) return undefined;
      const groups = [...[...found].entries(), ...Object.entries(found.groups ?? {})];
      return new Map([...basic, ...groups.map(([key, value]): [string, string] => [String(key), value ?? ''])]);
    },
    fill: (values: Values) => ({
      rcode,
      answers: records(rule.answers, values),
      authorities: records(rule.authorities, values),
      additionals: records(rule.additionals, values),
    }),
  };
}

function expand(text: string, values: Values): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, key: string) => values.get(key) ?? '');
}
