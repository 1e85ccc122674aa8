import { isErrno } from '../errno.ts';
import { messageFlags, type MessageWriter, readAttributes } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/** The controller's own family, and what is asked of it (linux/genetlink.h). */
const controller = 0x10;
const GET_FAMILY = 3;
const FAMILY_ID = 1;
const FAMILY_NAME = 2;

/**
 * The number that messages of a generic netlink family carry as their type; undefined when the kernel lacks it. Asking may
 * load its module.
 */
export function genericFamily(socket: NetlinkSocket, name: string): number | undefined {
  let id: number | undefined;
  try {
    socket.dump(
      controller,
      `generic netlink family ${name}`,
      (writer) => writeGenericHeader(writer, GET_FAMILY).attributeString(FAMILY_NAME, name),
      ({ payload }) => (id = readAttributes(payload, genericHeaderBytes).get(FAMILY_ID)?.readUInt16LE(0)),
      messageFlags.ack,
    );
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  return id;
}

/** Bytes between a generic netlink message's header and its attributes. */
export const genericHeaderBytes = 4;

export function writeGenericHeader(writer: MessageWriter, command: number, version = 1): MessageWriter {
  return writer.u8(command).u8(version).u16(0);
}
