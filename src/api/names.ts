/**
 * What names, labels and ports may look like, with the messages that Kubernetes users know. Every function answers the
 * list of what is wrong, empty when nothing is. Sources: RFC 1035, RFC 1123, RFC 6335 and the Kubernetes API conventions.
 */

type Messages = readonly string[];

const dns1123Label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dns1035Label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedNamePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const envVarName = /^[ -<>-~]*$/;
const configKey = /^[-._a-zA-Z0-9]+$/;

function tooLong(limit: number, unit: 'bytes' | 'characters'): string {
  return `must be no more than ${limit} ${unit}`;
}

function regexMessage(text: string, pattern: string, ...examples: readonly string[]): string {
  const list = examples.map((each) => `'${each}'`).join(', or ');
  return `${text} (e.g. ${list}, regex used for validation is '${pattern}')`;
}

const notDns1123Label = regexMessage(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  '[a-z0-9]([-a-z0-9]*[a-z0-9])?',
  'my-name',
  '123-abc',
);
const notDns1123Subdomain = regexMessage(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  String.raw`[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`,
  'example.com',
);
const notDns1035Label = regexMessage(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  'my-name',
  'abc-123',
);
const mustBeQualified = regexMessage(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]',
  'MyName',
  'my.name',
  '123-abc',
);
const notLabelValue = regexMessage(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?',
  'MyValue',
  'my_value',
  '12345',
);
const notEnvVarName =
  "a valid environment variable name must consist only of printable ASCII characters other than '='";
const notConfigKey = regexMessage(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  '[-._a-zA-Z0-9]+',
  'key.name',
  'KEY_NAME',
  'key-name',
);

function check(
  value: string,
  limit: number,
  pattern: RegExp,
  message: string,
  unit: 'bytes' | 'characters' = 'bytes',
): Messages {
  const messages: string[] = [];
  if (value.length > limit) messages.push(tooLong(limit, unit));
  if (!pattern.test(value)) messages.push(message);
  return messages;
}

/** A label of RFC 1123: at most 63 lower-case letters, digits and `-`. */
export function dnsLabel(value: string): Messages {
  return check(value, 63, dns1123Label, notDns1123Label);
}

/** A subdomain of RFC 1123: labels with dots, at most 253 characters. */
export function dnsSubdomain(value: string): Messages {
  return check(value, 253, dns1123Subdomain, notDns1123Subdomain);
}

/** A label of RFC 1035: as `dnsLabel`, starting with a letter. */
export function dns1035(value: string): Messages {
  return check(value, 63, dns1035Label, notDns1035Label, 'characters');
}

function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -1)}a` : name;
}

/** The rules of a name kind, applied to `metadata.name` or, with `prefix`, to `metadata.generateName`. */
export function nameRule(rule: (value: string) => Messages): (name: string, prefix: boolean) => Messages {
  return (name, prefix) => rule(prefix ? maskTrailingDash(name) : name);
}

/** Prefix and name of a label key, annotation key or finalizer: `example.com/name`. */
export function qualifiedName(value: string): Messages {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${mustBeQualified} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? '';
  const messages: string[] = [];
  if (parts.length === 2) messages.push(...qualifiedPrefix(parts[0] ?? ''));
  if (name === '') messages.push('name part must be non-empty');
  else if (name.length > 63) messages.push(`name part ${tooLong(63, 'bytes')}`);
  if (!qualifiedNamePart.test(name)) messages.push(`name part ${mustBeQualified}`);
  return messages;
}

function qualifiedPrefix(prefix: string): Messages {
  if (prefix === '') return ['prefix part must be non-empty'];
  return dnsSubdomain(prefix).map((message) => `prefix part ${message}`);
}

/** The value of a label. */
export function labelValue(value: string): Messages {
  return check(value, 63, labelValuePattern, notLabelValue);
}

/** The name of an environment variable. */
export function envName(value: string): Messages {
  if (value === '') return ['environment variable name must be non-empty'];
  return envVarName.test(value) ? [] : [notEnvVarName];
}

/** A key of a ConfigMap or Secret. */
export function dataKey(value: string): Messages {
  const messages = [...check(value, 253, configKey, notConfigKey, 'characters')];
  if (value === '.') messages.push("must not be '.'");
  else if (value === '..') messages.push("must not be '..'");
  else if (value.startsWith('..')) messages.push("must not start with '..'");
  return messages;
}

/** A port number: 1-65535. */
export function portNumber(value: number): Messages {
  return Number.isInteger(value) && value >= 1 && value <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

/** A port name (IANA service name): at most 15 lower-case letters, digits and single `-`, at least one letter. */
export function portName(value: string): Messages {
  const messages: string[] = [];
  if (value.length > 15) messages.push(tooLong(15, 'characters'));
  if (!/^[-a-z0-9]+$/.test(value))
    messages.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) messages.push('must contain at least one letter (a-z)');
  if (value.includes('--')) messages.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) messages.push('must not begin or end with a hyphen');
  return messages;
}

/** The name of an object that has no further rule: one path segment. */
export function pathSegment(value: string): Messages {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((each) => value.includes(each)).map((each) => `may not contain '${each}'`);
}
