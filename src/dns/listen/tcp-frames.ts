/**
 * Cuts a TCP stream into DNS messages, each behind its length in two bytes (RFC 1035 4.2.2). Returns the function to give
 * chunks to, which says whether a message is left of which not all has come. Never keeps more than that one.
 */
export function createFrames(onMessage: (message: Buffer) => void): (chunk: Buffer) => boolean {
  let pieces: Buffer[] = [];
  let held = 0;
  return (chunk) => {
    pieces.push(chunk);
    held += chunk.length;
    if (held < needed(pieces, held)) return true;
    const whole = pieces.length === 1 ? chunk : Buffer.concat(pieces);
    const rest = takeMessages(whole, onMessage);
    pieces = rest.length === 0 ? [] : [rest];
    held = rest.length;
    return held > 0;
  };
}

/** Bytes that the first message needs, with its length. */
function needed(pieces: readonly Buffer[], held: number): number {
  if (held < 2) return 2;
  const [first, second] = pieces;
  const length = first && first.length >= 2 ? first.readUInt16BE(0) : ((first?.[0] ?? 0) << 8) | (second?.[0] ?? 0);
  return 2 + length;
}

/** Hands out every whole message and returns what is left. */
function takeMessages(bytes: Buffer, onMessage: (message: Buffer) => void): Buffer {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    onMessage(bytes.subarray(at + 2, end));
    at = end;
  }
  return bytes.subarray(at);
}
