import type { Clock } from '../../observe/clock.ts';
import type { UpstreamSettings } from '../settings/settings.ts';
import type { Message, Question } from '../wire/message.ts';
import type { Exchange, Request } from './exchange.ts';
import { requestFor } from './exchange.ts';

/** Milliseconds to wait for an answer at least and at most, and before anything is known of an upstream. */
const shortestMs = 150;
const longestMs = 2000;
const unknownMs = 800;
/** An upstream that failed so often one after the other is set aside. */
const failuresUntilAside = 2;

/**
 * An upstream server and what is known of it: how fast it answers, and whether it does. Its time-out follows the round trip
 * as TCP's does (RFC 6298).
 */
export class Upstream {
  readonly settings: UpstreamSettings;
  /** `192.0.2.53:53`, `tls://[2001:db8::1]:853`. */
  readonly name: string;
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  #smoothedMs: number | undefined;
  #variationMs = 0;
  #failures = 0;
  /** It sent our own question back to us. */
  isLooping = false;

  constructor(settings: UpstreamSettings, exchange: Exchange, clock: Clock) {
    this.settings = settings;
    this.name = nameOf(settings);
    this.#exchange = exchange;
    this.#clock = clock;
  }

  /** The name that metrics have for it: without a scheme. */
  get label(): string {
    return this.name.replace(/^\w+:\/\//, '');
  }

  /** Asked only when no other is left. */
  get isAside(): boolean {
    return this.isLooping || this.#failures >= failuresUntilAside;
  }

  /** Milliseconds after which another upstream is worth asking. */
  get patienceMs(): number {
    if (this.#smoothedMs === undefined) return unknownMs;
    return Math.min(longestMs, Math.max(shortestMs, this.#smoothedMs + 4 * this.#variationMs));
  }

  /** It keeps someone waiting for longer than it should; an answer later makes that good. */
  noteSilence(): void {
    this.#failures += 1;
  }

  /** Asks once. Rejects with Error when no answer comes in time. */
  async ask(question: Question, options: AskOptions): Promise<Message> {
    const request: Request = requestFor(question, options);
    const startedMs = this.#clock.monotonic();
    try {
      const answer = await this.#exchange(request, { timeoutMs: options.timeoutMs, signal: options.signal });
      this.#learn(this.#clock.monotonic() - startedMs);
      this.#failures = 0;
      return answer;
    } catch (error) {
      // An attempt that was given up because another answered says nothing more than its silence did.
      if (!options.signal.aborted) this.#failures += 1;
      throw error;
    }
  }

  #learn(tookMs: number): void {
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = tookMs;
      this.#variationMs = tookMs / 2;
      return;
    }
    this.#variationMs += (Math.abs(this.#smoothedMs - tookMs) - this.#variationMs) / 4;
    this.#smoothedMs += (tookMs - this.#smoothedMs) / 8;
  }
}

export interface AskOptions {
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
  /** When the attempt ends for good. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

function nameOf({ transport, address, port }: UpstreamSettings): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return transport === 'dns' ? `${host}:${port}` : `${transport}://${host}:${port}`;
}
