/** How a question came. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'https';

/** Who asks. */
export interface Client {
  readonly transport: Transport;
  /** Canonical text. Made when asked for: ask only when the answer depends on it. */
  readonly address: () => string;
}
