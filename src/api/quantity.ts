/**
 * Resource quantities: `100m`, `1.5Gi`, `2e3`. Exact, in nano units, because sums of requests must not drift.
 *
 * Source: the quantity format of the Kubernetes API (`resource.Quantity`): binary suffixes Ki-Ei, decimal suffixes n-E,
 * decimal exponents; values are kept in the form they were written in.
 */

type Form = 'binary' | 'decimal' | 'exponent';

interface Quantity {
  /** In units of 10^-9, rounded up (away from zero) as Kubernetes does. */
  readonly nano: bigint;
  readonly form: Form;
}

const nanoPerUnit = 1_000_000_000n;
const binarySuffixes: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimalSuffixes: readonly string[] = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$/;

/** What is wrong with a text that is no quantity. */
export const quantityFormat =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function scaled(digits: bigint, decimals: number, multiplier: bigint, exponent: number): bigint {
  const shift = exponent + 9 - decimals;
  const product = digits * multiplier;
  if (shift >= 0) return product * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (product + divisor - 1n) / divisor;
}

function parse(text: string): Quantity | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', binary, decimal, exponent] = match;
  if (whole + fraction === '') return undefined;
  const power = exponent === undefined ? 0 : Number(exponent);
  if (Math.abs(power) > 30) return undefined;
  const multiplier = binary === undefined ? 1n : 1024n ** BigInt(binarySuffixes.indexOf(binary));
  const shift = decimal === undefined ? power : (decimalSuffixes.indexOf(decimal) - 3) * 3;
  const magnitude = scaled(BigInt(whole + fraction), fraction.length, multiplier, shift);
  const form = binary !== undefined ? 'binary' : exponent !== undefined ? 'exponent' : 'decimal';
  return { nano: sign === '-' ? -magnitude : magnitude, form };
}

function formatBinary(nano: bigint): string {
  let value = nano / nanoPerUnit;
  let suffix = 0;
  while (value !== 0n && value % 1024n === 0n && suffix < binarySuffixes.length - 1) {
    value /= 1024n;
    suffix++;
  }
  return `${value}${binarySuffixes[suffix]}`;
}

function formatDecimal(nano: bigint, asExponent: boolean): string {
  let value = nano;
  let suffix = 0;
  while (value !== 0n && value % 1000n === 0n && suffix < decimalSuffixes.length - 1) {
    value /= 1000n;
    suffix++;
  }
  const exponent = (suffix - 3) * 3;
  if (asExponent) return exponent === 0 ? `${value}` : `${value}e${exponent}`;
  return `${value}${decimalSuffixes[suffix]}`;
}

function format({ nano, form }: Quantity): string {
  if (nano === 0n) return '0';
  const magnitude = nano < 0n ? -nano : nano;
  if (form === 'binary' && magnitude >= 1024n * nanoPerUnit && nano % nanoPerUnit === 0n) return formatBinary(nano);
  return formatDecimal(nano, form === 'exponent');
}

/** The canonical text of a quantity (`1000m` → `1`); undefined when it is none. */
export function canonicalQuantity(text: string): string | undefined {
  const parsed = parse(text);
  return parsed && format(parsed);
}

/** The value in units of 10^-9; undefined when the text is no quantity. */
export function quantityInNano(text: string): bigint | undefined {
  return parse(text)?.nano;
}
