/** How a question came. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'https';

/** Who asks. */
export interface Client {
  readonly transport: Transport;
  /** Canonical text. Made when asked for: ask while the packet is valid, and only when the answer depends on it. */
  readonly address: () => string;
}
