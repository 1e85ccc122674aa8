import type { Entry, Word } from './words.ts';

/** More records than this from one line are a mistake. */
const most = 65_536;
/** So are more digits: nothing that long is a name or a string. */
const widest = 255;

/**
 * `$GENERATE FIRST-LAST[/STEP] OWNER [TTL] [CLASS] TYPE RDATA`: the entries it stands for. `$` is the number, `${offset,width,base}` another form
 * of it, `\$` a dollar sign. Text when the line is wrong.
 */
export function generatedEntries(entry: Entry): Entry[] | string {
  const [, range, ...rest] = entry.words;
  const [, first, last, step] = /^(\d+)-(\d+)(?:\/(\d+))?$/.exec(range?.text ?? '') ?? [];
  if (first === undefined || last === undefined || rest.length < 3)
    return '$GENERATE needs FIRST-LAST, an owner, a type and data';
  const by = Number(step ?? 1);
  const count = Math.floor((Number(last) - Number(first)) / by) + 1;
  if (!(by > 0) || !(count > 0 && count <= most)) return `$GENERATE makes 1 to ${most} records`;
  if (rest.some(isTooWide)) return `$GENERATE makes numbers of at most ${widest} digits`;
  return Array.from({ length: count }, (_, index) => {
    const number = Number(first) + index * by;
    return { ...entry, hasNoOwner: false, words: rest.map((word) => ({ ...word, text: insert(word.text, number) })) };
  });
}

function isTooWide({ text }: Word): boolean {
  return [...text.matchAll(/\$\{-?\d+,(\d+)/g)].some(([, width]) => Number(width) > widest);
}

function insert(text: string, number: number): string {
  return text.replaceAll(/\\\$|\$(?:\{(-?\d+)(?:,(\d+))?(?:,([doxX]))?\})?/g, (found, offset, width, base) => {
    if (found === '\\$') return '$';
    const value = number + Number(offset ?? 0);
    const digits = value.toString(base === 'o' ? 8 : base === 'x' || base === 'X' ? 16 : 10);
    return (base === 'X' ? digits.toUpperCase() : digits).padStart(Number(width ?? 0), '0');
  });
}
