import { parseIp } from '../../lib/ip.ts';
import type { Mistake } from './rdata-text.ts';

/** Numbers of service parameters (RFC 9460 14.3.2). */
const keys: Readonly<Record<string, number>> = {
  mandatory: 0,
  alpn: 1,
  'no-default-alpn': 2,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
  dohpath: 7,
};

/** Parameters of SVCB and HTTPS records from words such as `alpn=h2,h3` and `port=8443` (RFC 9460 2.1), in key order. */
export function serviceParameters(words: readonly string[]): Uint8Array | Mistake {
  const parameters = new Map<number, Uint8Array>();
  for (const word of words) {
    const at = word.indexOf('=');
    const name = (at < 0 ? word : word.slice(0, at)).toLowerCase();
    const key = numberOf(name);
    const value = key === undefined ? undefined : valueOf(key, at < 0 ? '' : word.slice(at + 1));
    if (key === undefined || value === undefined) return { mistake: `"${word}" is no service parameter` };
    if (parameters.has(key)) return { mistake: `${name} is there twice` };
    parameters.set(key, value);
  }
  const sorted = [...parameters].sort(([a], [b]) => a - b);
  return Buffer.concat(sorted.flatMap(([key, value]) => [word16(key), word16(value.length), value]));
}

function numberOf(name: string): number | undefined {
  const generic = /^key(\d{1,5})$/.exec(name)?.[1];
  if (generic !== undefined) return Number(generic) < 65_535 ? Number(generic) : undefined;
  return Object.hasOwn(keys, name) ? keys[name] : undefined;
}

function valueOf(key: number, text: string): Uint8Array | undefined {
  const items = text.split(',');
  switch (key) {
    case 0: {
      const numbers = items.map(numberOf).filter((each) => each !== undefined);
      return numbers.length === items.length ? Buffer.concat(numbers.sort((a, b) => a - b).map(word16)) : undefined;
    }
    case 1:
      return Buffer.concat(items.map((item) => Buffer.from(String.fromCharCode(item.length) + item, 'latin1')));
    case 2:
      return text === '' ? Buffer.alloc(0) : undefined;
    case 3:
      return /^\d+$/.test(text) && Number(text) < 65_536 ? word16(Number(text)) : undefined;
    case 4:
    case 6: {
      const bytes = items.map(parseIp);
      const width = key === 4 ? 4 : 16;
      return bytes.every((each) => each?.length === width)
        ? Buffer.concat(bytes.filter((each) => each !== undefined))
        : undefined;
    }
    case 5:
      return Buffer.from(text, 'base64');
    default:
      return Buffer.from(text, 'latin1');
  }
}

function word16(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
}
