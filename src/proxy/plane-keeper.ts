import { Node } from '../api/core/node.ts';
import { planeAnnotation } from '../api/fairlead-annotations.ts';
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts';
import { plainLine } from '../lib/plain-line.ts';
import { errorText } from '../observe/log.ts';
import type { ProxyConfig } from './config.ts';
import { type Dataplane, type NodeNetwork, planeNames, type PlaneName, retiresNoMore } from './dataplane.ts';
import { choosePlane, openPlane, type PlaneChoice, type PlaneOptions, retireOthers } from './open-plane.ts';
import { readRunRecord, removeRunRecord, writeRunRecord } from './run-record.ts';

export interface PlaneKeeperOptions {
  readonly config: ProxyConfig;
  readonly choice: PlaneChoice;
  /** The node's network as it is known now. */
  readonly network: () => NodeNetwork;
  /**
   * Makes the plane that is in force be opened anew, by `open`, and take over. Tells, when that is done, whether a plane
   * is in force: before the first one is, there is nothing to take over.
   */
  readonly reopen: () => Promise<boolean>;
}

/**
 * Which plane is in force: opens it, changes it while the proxy runs, and takes out of service what another one left. The
 * new plane is in force before the old one goes, and connections of the old one go on until they end.
 */
export class PlaneKeeper {
  readonly #options: PlaneKeeperOptions;
  readonly #recorder: EventRecorder;
  #choice: PlaneChoice;
  #wanted: PlaneName | 'auto';
  #retiring: { readonly done: Promise<void>; readonly abort: AbortController } | undefined;
  #switching: Promise<void> = Promise.resolve();
  #hasStopped = false;
  /** Whether other commands are told of this process. */
  #isRecorded = false;
  #hasLookedForOthers = false;

  constructor(options: PlaneKeeperOptions) {
    this.#options = options;
    this.#choice = options.choice;
    this.#wanted = options.config.plane ?? 'auto';
    const { client, nodeName, logger, now } = options.config;
    this.#recorder = createEventRecorder({ client, component: 'proxy', host: nodeName, logger, now });
  }

  get choice(): PlaneChoice {
    return this.#choice;
  }

  async open(): Promise<Dataplane> {
    this.#lookForOthers();
    this.#record();
    return this.#options.config.dataplane ?? openPlane(this.#choice.plane, this.#planeOptions);
  }

  /** An annotation on this Node wins over the setting: `kubectl annotate node NAME fairlead.dev/plane=ebpf`. */
  sawNode(node: Node): void {
    const asked = node.metadata.annotations?.[planeAnnotation];
    const wanted = asked ?? this.#options.config.plane ?? 'auto';
    if (wanted === this.#wanted || this.#options.config.dataplane !== undefined) return;
    this.#wanted = wanted as PlaneName | 'auto';
    this.#switching = this.#switching.then(() => this.#switch(node));
  }

  /** To be called whenever the plane has come into force. */
  retireOthers(): void {
    if (this.#options.config.dataplane !== undefined || this.#hasStopped) return;
    const abort = new AbortController();
    const earlier = this.#stopRetiring(retiresNoMore);
    this.#retiring = { abort, done: earlier.then(() => this.#retireOthers(abort.signal)) };
  }

  /** Nothing is switched or retired any more; with `removes`, what other planes left is gone when it resolves. */
  async stop(removes: boolean): Promise<void> {
    this.#hasStopped = true;
    this.#forget();
    await this.#recorder[Symbol.asyncDispose]();
    await this.#stopRetiring(removes ? 'removed' : retiresNoMore);
  }

  async #stopRetiring(reason: unknown): Promise<void> {
    this.#retiring?.abort.abort(reason);
    await this.#retiring?.done;
  }

  get #planeOptions(): PlaneOptions {
    const { planeSettings, logger } = this.#options.config;
    return { ...planeSettings, network: this.#options.network(), logger };
  }

  async #switch(node: Node): Promise<void> {
    const { logger } = this.#options.config;
    const wanted = this.#wanted;
    try {
      if (wanted !== 'auto' && !planeNames.includes(wanted))
        throw new Error(`there is no plane ${wanted}; there are ${planeNames.join(', ')} and auto`);
      const choice = await choosePlane(wanted, this.#planeOptions);
      if (choice.plane === this.#choice.plane || this.#hasStopped) return;
      logger.info('changing the plane', { from: this.#choice.plane, to: choice.plane });
      // A plane that is on its way out may be the one that is wanted again.
      await this.#stopRetiring(retiresNoMore);
      this.#choice = choice;
      if (await this.#options.reopen()) this.retireOthers();
    } catch (error) {
      this.#tellUnavailable(node, `${errorText(error)}; ${this.#choice.plane} stays in force`);
    }
  }

  /** To who wrote the annotation, in an event on the Node, and in the log. */
  #tellUnavailable(node: Node, why: string): void {
    const message = plainLine(`the plane that annotation ${planeAnnotation} asks for cannot be had: ${why}`);
    this.#options.config.logger.warn(message, { node: node.metadata.name });
    this.#recorder.record(Node, node, { type: 'Warning', reason: 'PlaneUnavailable', message });
  }

  async #retireOthers(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options.config;
    if (signal.reason === retiresNoMore) return;
    try {
      const retired = await retireOthers(this.#choice.plane, this.#planeOptions, signal);
      if (retired.length > 0 && !signal.aborted) logger.info('what another plane left is gone', { retired });
    } catch (error) {
      logger.error('what another plane left could not be taken away', { error });
    }
  }

  /**
   * Another proxy in this network namespace is no obstacle: in an upgrade the next one starts before the old one has
   * ended. Two that stay change the kernel against each other, which nobody would see.
   */
  #lookForOthers(): void {
    const { logger, dataplane } = this.#options.config;
    if (this.#hasLookedForOthers || dataplane !== undefined) return;
    this.#hasLookedForOthers = true;
    const other = readRunRecord();
    if (other === undefined || other.pid === process.pid) return;
    logger.warn('another proxy of Fairlead runs in this network namespace; when this is no upgrade, end one of them', {
      pid: other.pid,
      plane: other.plane,
      node: other.nodeName,
    });
  }

  /** Tells other commands which plane is in force, and its settings. Without it they work less well; the proxy works on. */
  #record(): void {
    const { config, network } = this.#options;
    const { dataplane, nodeName, allowExternalIps = false, defaults = {}, planeSettings = {}, logger } = config;
    if (dataplane !== undefined) return;
    try {
      writeRunRecord({ nodeName, ...this.#choice, network: network(), allowExternalIps, defaults, planeSettings });
      this.#isRecorded = true;
    } catch (error) {
      // Where it runs without root there is no such folder, and nothing in the kernel to look at.
      if (this.#choice.plane === 'userspace') return;
      logger.warn('trace and proxy diff will not know the settings of this proxy', { error });
    }
  }

  #forget(): void {
    if (this.#isRecorded) removeRunRecord();
    this.#isRecorded = false;
  }
}
