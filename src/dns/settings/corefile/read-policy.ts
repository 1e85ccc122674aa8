import type { AclRule, Dns64Settings, ListenTransport } from '../settings.ts';
import type { Directive } from './blocks.ts';
import type { DirectiveReader } from './draft.ts';
import {
  readAddress,
  readCidr,
  readChoice,
  readExpression,
  readPrefix,
  readType,
  readZone,
  readZones,
  wrong,
} from '../values.ts';
import { onlyArgument, readOptions } from './options.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** `acl [ZONES…] { ACTION [type TYPES…] [net CIDRS…] }`. */
export const readAcl: DirectiveReader = (directive, { server }) => {
  const zones = readZones(directive.args, server.zones);
  const rules = directive.block.map((line): AclRule => readAclRule(line, zones));
  if (rules.length === 0) throw wrong(directive.name, 'acl has no rule');
  server.acl = [...server.acl, ...rules];
};

function readAclRule({ name, args }: Directive, zones: readonly string[]): AclRule {
  const action = readChoice(name, ['allow', 'block', 'filter', 'drop']);
  const types: string[] = [];
  const clients: string[] = [];
  let into: 'type' | 'net' | undefined;
  for (const token of args) {
    if (token.text === 'type' || token.text === 'net') into = token.text;
    else if (into === undefined) throw wrong(token, `"${token.text}": type or net comes first`);
    else if (token.text === '*') continue;
    else if (into === 'type') types.push(readType(token));
    else clients.push(readCidr(token));
  }
  return { action, types, clients, zones };
}

/** Expressions of a view that are understood: what they hold for, and the reader of what is in the quotes. */
const viewExpressions = [
  { list: 'clients', pattern: /^incidr\(client_ip\(\), ?'([^']+)'\)$/, read: readCidr },
  { list: 'types', pattern: /^type\(\) ?== ?'(\w+)'$/, read: readType },
  { list: 'names', pattern: /^name\(\) matches '(.+)'$/, read: readExpression },
] as const;

/**
 * `view NAME { expr … }`: expressions of the common sorts only, so that what is not understood is said. All that are there
 * must hold, so there is at most one of a sort: items of our lists are alternatives.
 */
export const readView: DirectiveReader = (directive, { server }) => {
  const name = onlyArgument({ ...directive, block: [] }).text;
  const view: Record<'clients' | 'names' | 'types', string[]> = { clients: [], names: [], types: [] };
  readOptions(directive, {
    expr: ({ name: at, args }) => {
      const text = args.map((token) => token.text).join(' ');
      const known = viewExpressions.find(({ pattern }) => pattern.test(text));
      if (known === undefined)
        throw wrong(
          at,
          `the expression "${text}" is not supported (supported: incidr(client_ip(), '…'), type() == '…', name() matches '…')`,
        );
      const list = view[known.list];
      if (list.length > 0) throw wrong(at, 'two expressions of one sort in a view are not supported: both must hold');
      list.push(known.read({ ...at, text: known.pattern.exec(text)?.[1] ?? '' }));
    },
  });
  server.view = { name, ...view };
};

/** `dns64 [PREFIX] { … }`. */
export const readDns64: DirectiveReader = (directive, { server }) => {
  const [prefix] = directive.args;
  const draft: Mutable<Dns64Settings> = {
    prefix: prefix === undefined ? '64:ff9b::/96' : readPrefix(prefix),
    translateAll: false,
    allowIpv4: false,
  };
  readOptions(directive, {
    prefix: (option) => (draft.prefix = readPrefix(onlyArgument(option))),
    translate_all: () => (draft.translateAll = true),
    allow_ipv4: () => (draft.allowIpv4 = true),
  });
  server.dns64 = draft;
};

/** `autopath [ZONE…] RESOLV-CONF|@kubernetes`. */
export const readAutopath: DirectiveReader = (directive, { server, searchList, note }) => {
  const from = directive.args.at(-1);
  if (from?.text !== '@kubernetes')
    throw wrong(directive.name, 'autopath takes its search lists from @kubernetes only');
  if (directive.args.length > 1) note(directive, 'zones: search lists are those of the cluster, in its own zone');
  server.autopath = { search: searchList() };
};

/** `log [NAMES… [FORMAT]] { class CLASSES… }`. */
export const readLog: DirectiveReader = (directive, { server, note }) => {
  if (directive.args.some(({ text }) => text !== '.'))
    note(directive, 'names and format: every name of the server is logged, in a form of our own');
  const classes = new Set<'all' | 'success' | 'denial' | 'error'>();
  readOptions(directive, {
    class: ({ args }) => {
      for (const token of args) classes.add(readChoice(token, ['all', 'success', 'denial', 'error']));
    },
  });
  server.log = { classes: classes.size === 0 ? ['all'] : [...classes] };
};

/** `dnstap SOCKET [full] { … }`. */
export const readDnstap: DirectiveReader = (directive, { server }) => {
  const [to] = directive.args;
  if (to === undefined) throw wrong(directive.name, 'dnstap needs a socket');
  let identity = '';
  let version = '';
  readOptions(directive, {
    identity: (option) => (identity = onlyArgument(option).text),
    version: (option) => (version = onlyArgument(option).text),
  });
  const text = to.text.replace(/^(unix|tcp):\/\//, '');
  const isTcp = to.text.startsWith('tcp://');
  server.dnstap = { to: isTcp ? readAddress({ ...to, text }, 6000) : text, identity, version };
};

/** `tls CERT KEY [CA]`. */
export const readTls: DirectiveReader = (directive, { server, path }) => {
  const [certificate, key, authority] = directive.args;
  if (certificate === undefined || key === undefined) throw wrong(directive.name, 'tls needs a certificate and a key');
  server.tls = {
    certificate: path(certificate.text),
    key: path(key.text),
    clientAuthority: authority && path(authority.text),
  };
};

/** `transfer [ZONES…] { to ADDRESSES… }`. */
export const readTransfer: DirectiveReader = (directive, { server }) => {
  const clients: string[] = [];
  const notify: { address: string; port: number }[] = [];
  readOptions(directive, {
    to: ({ args }) => {
      for (const token of args) {
        if (token.text === '*') clients.push('0.0.0.0/0', '::/0');
        else {
          const address = readAddress(token, 53);
          clients.push(readCidr({ ...token, text: address.address }));
          notify.push(address);
        }
      }
    },
  });
  server.transfer = [...server.transfer, { zones: readZones(directive.args, server.zones), clients, notify, keys: [] }];
};

/** `bind ADDRESSES…`. */
export const readBind: DirectiveReader = ({ name, args }, { server }) => {
  if (args.length === 0) throw wrong(name, 'bind needs an address');
  server.bind = args.map((token) => readAddress(token, 53).address);
};

const ports: Readonly<Record<ListenTransport, number>> = { dns: 53, tls: 853, https: 443 };

/** What a server's key says: `tls://example.org:853`, `.:53`, `cluster.local`. */
export function readKey(token: {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly isQuoted: boolean;
}): {
  readonly zone: string;
  readonly transport: ListenTransport;
  readonly port: number;
} {
  const [, scheme = 'dns', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/.exec(token.text) ?? [];
  const transport = readChoice({ ...token, text: scheme }, ['dns', 'tls', 'https']);
  const [, zone = '', port] = /^(.*?)(?::(\d+))?$/.exec(rest) ?? [];
  const number = port === undefined ? ports[transport] : Number(port);
  if (number > 65_535) throw wrong(token, `${port} is no port`);
  return { zone: readZone({ ...token, text: zone === '' ? '.' : zone }), transport, port: number };
}
