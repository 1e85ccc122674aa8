import type { FrontendKey } from '../../routing/frontend.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** A frontend, or what is wrong with one. */
interface OfFrontend {
  readonly key: FrontendKey;
  readonly service: string;
}

/**
 * Whether a frontend is one of those that a user named: by Service (`cart`, `shop/cart`, `svc/cart`), by address
 * (`10.96.0.10`, `10.96.0.10:80`, `*:30080`) or by its whole key. Without names all are.
 */
export function isChosen({ key, service }: OfFrontend, names: readonly string[]): boolean {
  if (names.length === 0) return true;
  const address = key.replace(/\/[A-Z]+$/, '');
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return names.some((given) => {
    const name = given.replace(/^(svc|service|services)\//, '');
    return [key, address, host, service, service.split('/')[1]].includes(name);
  });
}

/** The error for names that choose nothing. */
export function noSuchFrontend(names: readonly string[]): CommandError {
  return new CommandError(`there is no frontend of ${names.join(', ')}`, {
    code: exitCodes.notFound,
    hint: 'fairlead proxy dump shows all; a headless Service has none',
  });
}
