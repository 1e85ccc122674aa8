/** The signals that ask a program to stop or to look again. */
export type TerminationSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** Hears every signal in place of the usual handling. */
export type SignalListener = (signal: TerminationSignal) => void;

/** What `watchSignals` needs of `process`. */
export interface SignalSource {
  on(signal: TerminationSignal, listener: () => void): unknown;
  exit(code: number): unknown;
}

/** The signals of this process, as commands see them. */
export interface Signals {
  /** Aborts at the first Ctrl-C or SIGTERM; a second one ends the process. */
  readonly signal: AbortSignal;
  /** Gives all signals to one listener until the result is disposed; `signal` does not abort meanwhile. */
  take(listener: SignalListener): Disposable;
}

/** Listens to the signals of a process. */
export function watchSignals(source: SignalSource): Signals {
  const controller = new AbortController();
  const listeners: SignalListener[] = [];
  const usual = (name: TerminationSignal) => {
    if (controller.signal.aborted) source.exit(name === 'SIGINT' ? 130 : 143);
    controller.abort();
  };
  const handle = (name: TerminationSignal) => () => (listeners.at(-1) ?? usual)(name);
  for (const name of ['SIGINT', 'SIGTERM'] as const) source.on(name, handle(name));
  return {
    signal: controller.signal,
    take(listener) {
      for (const name of ['SIGHUP', 'SIGQUIT'] as const) if (listeners.length === 0) source.on(name, handle(name));
      listeners.push(listener);
      return { [Symbol.dispose]: () => void listeners.splice(listeners.indexOf(listener), 1) };
    },
  };
}
