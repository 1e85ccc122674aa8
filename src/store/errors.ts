/** Another process (or another store in this one) has the file open. */
export class StoreLockedError extends Error {
  override readonly name = 'StoreLockedError';
  readonly path: string;
  /** The process that holds it, when it could be found out. */
  readonly pid: number | undefined;
  constructor(path: string, pid: number | undefined, options?: ErrorOptions) {
    const holder = pid === undefined ? 'another process' : `process ${pid}`;
    super(`store ${path} is in use by ${holder}; stop it or choose another data folder`, options);
    this.path = path;
    this.pid = pid;
  }
}

/** The file cannot be opened: missing folder, no permission, not a directory. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`cannot open store ${path}: ${reason}`, options);
  }
}

/** The file is not a store of ours, was written by a newer version, or is damaged. Nothing in it was changed. */
export class StoreCorruptError extends Error {
  override readonly name = 'StoreCorruptError';
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`store ${path} cannot be used: ${reason}; move it away or restore a copy (it was left as it is)`, options);
  }
}

/** A commit could not be made durable, and nothing of it was kept. Reads go on; `isDiskFull` may pass by itself. */
export class StoreWriteError extends Error {
  override readonly name = 'StoreWriteError';
  readonly isDiskFull: boolean;
  constructor(path: string, reason: string, isDiskFull: boolean, options?: ErrorOptions) {
    super(`cannot write to store ${path}: ${reason}`, options);
    this.isDiskFull = isDiskFull;
  }
}

/** The store was closed. */
export class StoreClosedError extends Error {
  override readonly name = 'StoreClosedError';
  constructor() {
    super('the store is closed');
  }
}
