import { familyOf } from '../../lib/ip.ts';
import { parseCidr } from '../../lib/cidr.ts';
import { UsageError } from '../command-error.ts';

/** An address with its port. */
export interface AddressAndPort {
  readonly address: string;
  readonly port: number;
}

/** Reads `10.0.0.1:53` or `[fd00::1]:53`; without a port, `defaultPort`. Throws `UsageError` naming the flag. */
export function readAddress(flag: string, text: string, defaultPort: number): AddressAndPort {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:]+|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = portText === undefined ? defaultPort : Number(portText);
  if (familyOf(address) === undefined || port > 65_535) {
    throw new UsageError(
      `--${flag}: "${text}" is not an address like 127.0.0.1:${defaultPort} or [::1]:${defaultPort}`,
    );
  }
  return { address, port };
}

/** A flag's CIDRs in canonical form. Throws `UsageError` naming the flag. */
export function readCidrs(flag: string, texts: readonly string[]): readonly string[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const cidr = parseCidr(text.trim());
      if (cidr === undefined) throw new UsageError(`--${flag}: "${text}" is not an address range like 10.96.0.0/16`);
      return cidr.text;
    });
}
