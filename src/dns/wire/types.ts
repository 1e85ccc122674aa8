/** Numbers of the DNS protocol, by their IANA names. */

export const typeNumbers = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  RT: 21,
  KEY: 25,
  PX: 26,
  AAAA: 28,
  LOC: 29,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
} as const;

export type TypeName = keyof typeof typeNumbers;

const typeNames = new Map<number, string>(Object.entries(typeNumbers).map(([name, number]) => [number, name]));

/** Whether a type asks for a whole zone. */
export function isTransfer(type: number): boolean {
  return type === typeNumbers.AXFR || type === typeNumbers.IXFR;
}

/** Types that no record of a zone has, so that nobody can ask for them; transfers and ANY are questions of their own. */
const unaskable = new Map<number, 'FORMERR' | 'NOTIMP'>([
  [typeNumbers.OPT, 'FORMERR'],
  [typeNumbers.TKEY, 'NOTIMP'],
  [typeNumbers.TSIG, 'FORMERR'],
  [typeNumbers.MAILB, 'NOTIMP'],
  [typeNumbers.MAILA, 'NOTIMP'],
]);

/** The code that a question for a type gets wherever it is asked; undefined for a type that may be asked for. */
export function refusalOfType(type: number): number | undefined {
  const name = unaskable.get(type);
  return name && rcodes[name];
}

/** `A`, `SRV`, or `TYPE666` for a number without a name (RFC 3597). */
export function typeName(type: number): string {
  return typeNames.get(type) ?? `TYPE${type}`;
}

/** Number of a type by its name in any case, or `TYPE666`; undefined for anything else. */
export function typeNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  const generic = /^TYPE(\d{1,5})$/.exec(upper)?.[1];
  if (generic !== undefined) return Number(generic) <= 0xffff ? Number(generic) : undefined;
  return Object.hasOwn(typeNumbers, upper) ? typeNumbers[upper as TypeName] : undefined;
}

export const classIn = 1;
export const classChaos = 3;

const classNames = new Map<number, string>([
  [1, 'IN'],
  [3, 'CH'],
  [4, 'HS'],
  [254, 'NONE'],
  [255, 'ANY'],
]);

/** `IN`, or `CLASS7` for a number without a name. */
export function className(number: number): string {
  return classNames.get(number) ?? `CLASS${number}`;
}

/** Response codes; those above 15 need EDNS. */
export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const;

const rcodeNames = new Map<number, string>(Object.entries(rcodes).map(([name, number]) => [number, name]));

/** `NXDOMAIN`, or `RCODE12` for a number without a name. */
export function rcodeName(rcode: number): string {
  return rcodeNames.get(rcode) ?? `RCODE${rcode}`;
}

const opcodeNames = ['QUERY', 'IQUERY', 'STATUS', 'OPCODE3', 'NOTIFY', 'UPDATE', 'DSO'];

/** `QUERY`, or `OPCODE9` for a number without a name. */
export function opcodeName(opcode: number): string {
  return opcodeNames[opcode] ?? `OPCODE${opcode}`;
}

/** Bits of the second 16-bit word of the header (RFC 1035 4.1.1, RFC 4035 3). */
export const flags = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const;

/** Extended DNS errors this server gives (RFC 8914). */
export const extendedErrors = {
  staleAnswer: 3,
  notReady: 14,
  blocked: 15,
  filtered: 17,
  notSupported: 21,
  noReachableAuthority: 22,
  networkError: 23,
  synthesized: 29,
} as const;
