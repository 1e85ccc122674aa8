import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { SystemError } from './errno.ts';

/** The C functions Fairlead calls. Each throws `SystemError` when the kernel refuses. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): void;
  /** A number is an int. */
  setsockopt(fd: number, level: number, name: number, value: number | Uint8Array): void;
  listen(fd: number, backlog: number): void;
  /** Blocks until the connection is there, unless the socket does not. */
  connect(fd: number, address: Uint8Array): void;
  /** The next connection of a listening socket. */
  accept(fd: number): number;
  send(fd: number, data: Uint8Array, length: number, flags: number): number;
  /** Bytes received; with MSG_DONTWAIT in `flags` and nothing to read, it throws EAGAIN. */
  recv(fd: number, into: Uint8Array, flags: number): number;
  /** As `recv`, with the sender's `sockaddr` in `address`. */
  recvFrom(fd: number, into: Uint8Array, flags: number, address: Uint8Array): number;
  unshare(flags: number): void;
  setns(fd: number, type: number): void;
  mount(source: string, target: string, type: string | null, flags: number, data: string | null): void;
  umount2(target: string, flags: number): void;
  setHostName(name: string): void;
  /** Makes the mount `root` (also the working directory) the root of the thread's mount namespace. */
  pivotRoot(root: string, old: string): void;
  makeFifo(path: string, mode: number): void;
  /** prctl(2) of the calling thread, for options with one number. */
  prctl(option: number, value: number): void;
  /** capset(2) of the calling thread: `header` and `data` are its structs. */
  capset(header: Uint8Array, data: Uint8Array): void;
  /** fallocate(2) with `mode` on a range of bytes. */
  fallocate(fd: number, mode: number, offset: number, length: number): void;
  /** A new pseudo-terminal's controlling side, with its other side unlocked. */
  openTerminal(): { readonly fd: number; readonly path: string };
  setWindowSize(fd: number, size: Uint8Array): void;
  /** TUNSETIFF (linux/if_tun.h): `request` is a `struct ifreq`, in which the kernel writes the name it chose. */
  attachTun(fd: number, request: Uint8Array): void;
  /** bpf(2) with `attributes` as its union; `what` names the call in errors. */
  bpf(command: number, attributes: Uint8Array, what: string): number;
  /** Where the bytes are, for structs with pointers; true for as long as they live. */
  addressOf(bytes: Uint8Array): bigint;
  /** An 8-byte socket option. */
  getsockopt64(fd: number, level: number, name: number): bigint;
  /** A socket option of so many 32-bit words. */
  getsockoptWords(fd: number, level: number, name: number, words: number): Uint32Array;
  /**
   * Calls `ready` on the event loop whenever `fd` can be read; returns a function that ends it. Promises settled inside go
   * on only with the next event of Node's own: `setImmediate` is one.
   */
  pollReadable(fd: number, ready: () => void): () => void;
}

type Call = (...args: unknown[]) => number;

const TIOCSWINSZ = 0x5414;
const TUNSETIFF = 0x400454ca;
const O_RDWR = 2;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;

function load(): Libc {
  if (process.platform !== 'linux') {
    throw new Error(`this needs Linux: foreign functions of the Linux kernel were asked for on ${process.platform}`);
  }
  const koffi: typeof Koffi = createRequire(import.meta.url)('koffi');
  const library = koffi.load('libc.so.6');
  const declare = (definition: string): Call => {
    const name = /(\w+)\(/.exec(definition)?.[1] ?? definition;
    const call: Call = library.func(definition);
    return (...args) => {
      const result = Number(call(...args));
      if (result < 0) throw new SystemError(name, koffi.errno(), typeof args[1] === 'string' ? args[1] : '');
      return result;
    };
  };
  return wrap(declare, {
    addressOf: (bytes) => koffi.address(bytes),
    pollReadable: (fd, ready) => {
      const handle = koffi.node.poll(fd, { readable: true }, ready);
      handle.unref();
      return () => handle.close();
    },
  });
}

function wrap(declare: (definition: string) => Call, pointers: Pick<Libc, 'addressOf' | 'pollReadable'>): Libc {
  const bind = declare('int bind(int, const uint8_t *, uint32_t)');
  const setsockopt = declare('int setsockopt(int, int, int, const uint8_t *, uint32_t)');
  const connect = declare('int connect(int, const uint8_t *, uint32_t)');
  const accept = declare('int accept(int, void *, void *)');
  const recv = declare('int64_t recv(int, _Out_ uint8_t *, size_t, int)');
  const recvFrom = declare('int64_t recvfrom(int, _Out_ uint8_t *, size_t, int, _Out_ uint8_t *, _Inout_ uint32_t *)');
  return {
    socket: declare('int socket(int, int, int)'),
    bind: (fd, address) => void bind(fd, address, address.length),
    setsockopt(fd, level, name, value) {
      const bytes = typeof value === 'number' ? Buffer.from(Int32Array.of(value).buffer) : value;
      setsockopt(fd, level, name, bytes, bytes.length);
    },
    listen: declare('int listen(int, int)'),
    connect: (fd, address) => void connect(fd, address, address.length),
    accept: (fd) => accept(fd, null, null),
    send: declare('int64_t send(int, const uint8_t *, size_t, int)'),
    recv: (fd, into, flags) => recv(fd, into, into.length, flags),
    recvFrom: (fd, into, flags, address) => recvFrom(fd, into, into.length, flags, address, [address.length]),
    unshare: declare('int unshare(int)'),
    setns: declare('int setns(int, int)'),
    mount: declare('int mount(const char *, const char *, const char *, ulong, const char *)'),
    umount2: declare('int umount2(const char *, int)'),
    ...wrapProcesses(declare),
    ...wrapKernelObjects(declare),
    ...pointers,
  };
}

/** The calls for processes of their own: root directory, pipes, terminals. */
function wrapProcesses(declare: (definition: string) => Call) {
  const sethostname = declare('int sethostname(const char *, size_t)');
  const ioctl = declare('int ioctl(int, ulong, const uint8_t *)');
  const exchange = declare('int ioctl(int, ulong, _Inout_ uint8_t *)');
  const openTerminal = declare('int posix_openpt(int)');
  const grant = declare('int grantpt(int)');
  const unlock = declare('int unlockpt(int)');
  const nameOf = declare('int ptsname_r(int, _Out_ uint8_t *, size_t)');
  const pivot = pivotNumbers.get(process.arch) ?? 155;
  const pivotRoot = declare('long syscall(long, const char *, const char *)');
  const prctl = declare('int prctl(int, ulong, ulong, ulong, ulong)');
  return {
    prctl: (option: number, value: number) => void prctl(option, value, 0, 0, 0),
    capset: declare('int capset(const uint8_t *, const uint8_t *)'),
    setHostName: (name: string) => void sethostname(name, Buffer.byteLength(name)),
    pivotRoot: (root: string, old: string) => void pivotRoot(pivot, root, old),
    makeFifo: declare('int mkfifo(const char *, uint32_t)'),
    fallocate: declare('int fallocate(int, int, int64_t, int64_t)'),
    openTerminal() {
      const fd = openTerminal(O_RDWR | O_NOCTTY | O_CLOEXEC);
      grant(fd);
      unlock(fd);
      const name = Buffer.alloc(64);
      nameOf(fd, name, name.length);
      return { fd, path: name.toString('latin1', 0, name.indexOf(0)) };
    },
    setWindowSize: (fd: number, size: Uint8Array) => void ioctl(fd, TIOCSWINSZ, size),
    attachTun: (fd: number, request: Uint8Array) => void exchange(fd, TUNSETIFF, request),
  };
}

function wrapKernelObjects(
  declare: (definition: string) => Call,
): Pick<Libc, 'bpf' | 'getsockopt64' | 'getsockoptWords'> {
  const number = bpfNumbers.get(process.arch) ?? 321;
  const bpf = declare('long syscall(long, int, _Inout_ uint8_t *, uint32_t)');
  const getsockopt = declare('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)');
  return {
    bpf(command, attributes, what) {
      try {
        return bpf(number, command, attributes, attributes.length);
      } catch (error) {
        throw error instanceof SystemError ? new SystemError(what, error.errno) : error;
      }
    },
    getsockopt64(fd, level, name) {
      const value = Buffer.alloc(8);
      getsockopt(fd, level, name, value, [value.length]);
      return value.readBigUInt64LE();
    },
    getsockoptWords(fd, level, name, words) {
      const value = new Uint32Array(words);
      getsockopt(fd, level, name, Buffer.from(value.buffer), [value.byteLength]);
      return value;
    },
  };
}

/** Number of bpf(2), which has no function in libc (asm/unistd.h). */
const bpfNumbers = new Map([
  ['x64', 321],
  ['arm64', 280],
]);

/** Number of pivot_root(2), which has no function in libc (asm/unistd.h). */
const pivotNumbers = new Map([
  ['x64', 155],
  ['arm64', 41],
]);

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** libc, loaded at the first call. Throws a plain Error on anything but Linux. */
export const libc: () => Libc = once(load);
