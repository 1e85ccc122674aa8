import type { TlsOptions } from 'node:tls';
import type { SocketAddress } from '../config.ts';

/** Where to listen. */
export interface ListenAddress extends SocketAddress {
  /** Other processes may listen there too (SO_REUSEPORT); the kernel spreads askers over them. */
  readonly reusePort?: boolean;
}

/** An open socket, or a server of them. */
export interface Listener extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** A socket of datagrams, or several at one address. */
export interface DatagramListener extends Listener {
  /** What it answers with has become something else; resolves when nothing is answered with what was before. */
  readonly renew: () => Promise<void>;
}

/** A server of connections. */
export interface StreamListener extends Listener {
  /** Uses another certificate for connections from now on; without effect where nothing is encrypted. */
  readonly renew: (tls: TlsOptions) => void;
}
