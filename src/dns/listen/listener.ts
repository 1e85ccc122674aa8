import type { TlsOptions } from 'node:tls';

/** An open socket, or a server of them. */
export interface Listener extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** A server of connections. */
export interface StreamListener extends Listener {
  /** Uses another certificate for connections from now on; without effect where nothing is encrypted. */
  readonly renew: (tls: TlsOptions) => void;
}
