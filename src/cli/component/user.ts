import { readFileSync } from 'node:fs';
import type { User } from '../../linux/privileges.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/**
 * The user that a flag names: a name of `/etc/passwd`, a number, or two of them, `UID:GID`. Throws `CommandError` for a name
 * that is not there, and `UsageError` for root.
 */
export function readUser(flag: string, text: string, passwd = readPasswd): User {
  const numbers = /^(\d+)(?::(\d+))?$/.exec(text);
  const user = numbers ? { uid: Number(numbers[1]), gid: Number(numbers[2] ?? numbers[1]) } : named(text, passwd());
  if (user === undefined) throw new CommandError(`--${flag}: no user "${text}"`, { code: exitCodes.notFound });
  if (user.uid === 0 || user.gid === 0) throw new UsageError(`--${flag} ${text} is root`);
  return user;
}

/** Lines of passwd(5): name, password, user, group, … */
function named(name: string, passwd: string): User | undefined {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find((line) => line[0] === name);
  return fields && { uid: Number(fields[2]), gid: Number(fields[3]) };
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    // Images often have none.
    return '';
  }
}
