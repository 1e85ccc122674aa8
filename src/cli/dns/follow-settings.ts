import { createHash } from 'node:crypto';
import type { Dns } from '../../dns/config.ts';
import type { DnsSettings } from '../../dns/settings/settings.ts';
import { errorText, type Logger } from '../../observe/log.ts';
import type { Counter, Gauge, Labels, Metrics } from '../../observe/metrics.ts';

export interface FollowSettingsOptions {
  readonly dns: Pick<Dns, 'become'>;
  /** Reads the settings anew; throws with what is wrong with them. */
  readonly read: () => DnsSettings;
  /** Those in service now. */
  readonly initial: DnsSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Brings changed settings into service: looked at as often as they themselves say, and on `look` (a SIGHUP), which also reads
 * zone files and certificates again. Settings that are wrong are said once, and those before stay.
 */
export class SettingsFollower implements Disposable {
  readonly #options: FollowSettingsOptions;
  #current: string;
  #said = '';
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #failed: Counter;
  readonly #version: Gauge;

  constructor(options: FollowSettingsOptions) {
    const { initial, metrics } = options;
    this.#options = options;
    this.#current = JSON.stringify(initial);
    this.#failed = metrics.counter({ name: 'coredns_reload_failed_total', help: 'Settings that could not be.' });
    this.#version = metrics.gauge({
      name: 'coredns_reload_version_info',
      help: 'A hash of the settings in service.',
      labels: ['hash', 'value'],
    });
    this.#version.set(1, versionOf(this.#current));
    this.#plan(initial.reloadSeconds);
  }

  /** Resolves when what the file says now is in service, or was found wrong. */
  look(): Promise<void> {
    return this.#enqueue(true);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #enqueue(isForced: boolean): Promise<void> {
    this.#running = this.#running.then(() => this.#look(isForced));
    return this.#running;
  }

  async #look(isForced: boolean): Promise<void> {
    const { dns, read, logger } = this.#options;
    try {
      const settings = read();
      const text = JSON.stringify(settings);
      if (text === this.#current && !isForced) return;
      await dns.become(settings);
      if (text !== this.#current) this.#plan(settings.reloadSeconds);
      this.#version.remove(versionOf(this.#current));
      this.#version.set(1, versionOf(text));
      this.#current = text;
      this.#said = '';
      logger.info('settings were read again');
    } catch (error) {
      const said = errorText(error);
      if (said === this.#said) return;
      this.#said = said;
      this.#failed.inc();
      logger.error('the new settings are wrong; those before stay', { error });
    }
  }

  #plan(seconds: number): void {
    clearInterval(this.#timer);
    this.#timer = seconds > 0 ? setInterval(() => void this.#enqueue(false), seconds * 1000).unref() : undefined;
  }
}

function versionOf(text: string): Labels {
  return { hash: 'sha512', value: createHash('sha512').update(text).digest('hex') };
}
