import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import { openNetfilter, listTables } from '../../linux/nftables/dump.ts';
import { mayAdministerNetwork } from '../../linux/namespaces.ts';
import type { CommandIo } from '../command.ts';
import type { RunFile } from '../run-file.ts';

/** What the checks look at; tests give a made-up machine. */
export interface Host {
  readonly platform: string;
  /** `6.18.5-generic`. */
  readonly kernel: string;
  /** `26.10.0`. */
  readonly node: string;
  readonly uid: number;
  /** The Fairlead that runs here, if one does. */
  readonly running: RunFile | undefined;
  /** Where `up` keeps its state. */
  readonly dataFolder: string;
  /** May make network namespaces and change networks. */
  readonly administersNetwork: boolean;
  /** The text of a file, trimmed; undefined when it cannot be read. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  isWritable(path: string): boolean;
  /** The path of a program; undefined when it is not on PATH. */
  find(program: string): string | undefined;
  /** Why nobody can listen there now; undefined when one can. */
  whyNotListen(protocol: 'tcp' | 'udp', address: string, port: number): Promise<string | undefined>;
  /** Why the kernel does not answer about nftables; undefined when it does. */
  whyNoNftables(): string | undefined;
}

/** This machine. */
export function thisHost(io: Pick<CommandIo, 'env' | 'uid'>, running: RunFile | undefined, dataFolder: string): Host {
  return {
    platform: process.platform,
    kernel: release(),
    node: process.versions.node,
    uid: io.uid,
    running,
    dataFolder,
    administersNetwork: mayAdministerNetwork(),
    read: readTrimmed,
    exists: existsSync,
    isWritable: (path) => isAccessible(path, constants.W_OK),
    find: (program) =>
      (io.env['PATH'] ?? '')
        .split(delimiter)
        .map((folder) => join(folder, program))
        .find((path) => isAccessible(path, constants.X_OK)),
    whyNotListen: (protocol, address, port) => (protocol === 'tcp' ? tryTcp(address, port) : tryUdp(address, port)),
    whyNoNftables,
  };
}

function readTrimmed(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

async function tryTcp(address: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
    server.close();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

async function tryUdp(address: string, port: number): Promise<string | undefined> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    return undefined;
  } catch (error) {
    return reasonOf(error);
  } finally {
    socket.close();
  }
}

function whyNoNftables(): string | undefined {
  try {
    const socket = openNetfilter();
    try {
      listTables(socket);
    } finally {
      socket.close();
    }
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
