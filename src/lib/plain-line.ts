/** Control characters, line ends of every kind, and what turns the direction of writing. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text that others wrote, as part of one line on a terminal or in a log: what would move the cursor, begin a line or hide
 * something is shown as in JSON (`\n`, `\u001b`). Inside JSON it changes no value.
 */
export function plainLine(text: string): string {
  return text.replace(unprintable, (each) => short[each] ?? `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
