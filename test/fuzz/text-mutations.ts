import type { Random } from './random.ts';

/** Numbers at which limits are passed. */
const numbers = [
  '0',
  '1',
  '-1',
  '00',
  '63',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967296',
  '9'.repeat(400),
];
const oddities = [
  '"',
  '\\',
  '\\0',
  '\\256',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  '$',
  '#',
  ';',
  ',',
  ':',
  '\t',
  '\r',
  '\u{a0}',
  '\u{feff}',
  '\u{0}',
  'é',
  '\u{1f600}',
  ' ',
  '\n',
  '\n\n',
  "'",
  '&a',
  '*a',
  '!',
  '|',
  '>',
  '%',
  '@',
  '.',
  '..',
];

/** Changes of text by its tokens; `words` are those of the grammar. */
export function mutateText(random: Random, text: string, other: string, words: readonly string[]): string {
  if (random.oneIn(8)) return mutateLines(random, text, other);
  const tokens = tokensOf(text);
  const at = random.below(tokens.length + 1);
  switch (random.below(8)) {
    case 0:
      tokens.splice(at, 1 + random.below(3));
      break;
    case 1:
      tokens.splice(at, 0, ' ', random.pick(words), ' ');
      break;
    case 2:
      tokens[at] = random.pick(words);
      break;
    case 3:
      tokens[at] = random.pick(tokensOf(other)) ?? '';
      break;
    case 4:
      tokens.splice(at, 0, random.pick(oddities));
      break;
    case 5:
      tokens[at] = random.pick(numbers);
      break;
    case 6:
      tokens.splice(at, 0, ...tokens.slice(at, at + 1 + random.below(6)));
      break;
    default:
      tokens.splice(at, 0, (tokens[at] ?? '').repeat(random.oneIn(32) ? 500 : 3));
  }
  return tokens.join('');
}

/** White space, words, and single characters between. */
function tokensOf(text: string): string[] {
  return text.match(/\s+|[\w.:/-]+|[^]/g) ?? [''];
}

function mutateLines(random: Random, text: string, other: string): string {
  const lines = text.split('\n');
  const others = other.split('\n');
  const at = random.below(lines.length);
  switch (random.below(6)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, lines[at] ?? '');
      break;
    case 2:
      lines.splice(at, 0, ...others.slice(random.below(others.length)).slice(0, 1 + random.below(4)));
      break;
    case 3:
      return text.slice(0, random.below(text.length + 1));
    case 4:
      // Nesting deeper than anybody writes, and seldom deeper than any stack: that takes as long as hundreds of inputs.
      lines.splice(at, 0, random.pick(['{', '[', '(', 'x {\n', '- ', '{a: ']).repeat(random.oneIn(512) ? 6000 : 40));
      break;
    default:
      lines[at] = ' '.repeat(random.below(8)) + (lines[at] ?? '').trimStart();
  }
  return lines.join('\n');
}
