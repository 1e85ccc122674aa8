import type { Logger } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { DnstapSettings } from '../settings/settings.ts';
import { FrameStream } from './frame-stream.ts';
import { encodeQuery, encodeResponse, type Tapped } from './message.ts';

/** Tells a collector of every question and its answer (dnstap). Disposing of it ends the connection. */
export interface Tap extends Disposable {
  readonly tell: (tapped: Tapped) => void;
}

export function openTap({ to, identity, version }: DnstapSettings, logger: Logger, metrics: Metrics): Tap {
  const dropped = metrics.counter({
    name: 'fairlead_dns_dnstap_dropped_frames_total',
    help: 'Frames that a dnstap collector was too slow or away for.',
  });
  const stream = new FrameStream({
    to,
    onFailure: (error) => logger.warn('the dnstap collector cannot be reached; trying again', { to, error }),
    onDrop: () => dropped.inc(),
  });
  const frames = metrics.counter({
    name: 'fairlead_dns_dnstap_frames_total',
    help: 'Frames for dnstap collectors.',
  });
  const [name, text] = [Buffer.from(identity, 'utf8'), Buffer.from(version, 'utf8')];
  return {
    tell(tapped) {
      stream.send(encodeQuery(tapped, name, text));
      stream.send(encodeResponse(tapped, name, text));
      frames.inc({}, 2);
    },
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };
}
