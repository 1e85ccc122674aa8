/**
 * How a backend is chosen for a new connection, by the names that IPVS gives them (ipvsadm(8)) and `random`.
 *
 * - `random`: a draw in proportion to the weights. `rr`, `wrr`: in turn.
 * - `sh`, `mh`: by the client's address, so that a client stays and few move when backends come and go. `dh`: by the
 *   address that was called.
 * - `lc`, `wlc`, `sed`, `nq`, `lblc`, `lblcr`: to the backend with the fewest connections, in their variants.
 */
export const schedulers = ['random', 'rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'dh', 'mh', 'sed', 'nq'] as const;

export type Scheduler = (typeof schedulers)[number];
