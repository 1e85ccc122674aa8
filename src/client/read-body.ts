/** A whole body as UTF-8 text. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The lines of a body in the groups in which they arrived: all lines that one chunk completed. Empty lines are skipped; a
 * last line without an end counts.
 */
export async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    const complete = lines.filter((line) => line !== '');
    if (complete.length > 0) yield complete;
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}
