// systemd's socket for what services tell (sd_notify's protocol: one datagram a message), through the C library: Bun has none of this kind.
import { dlopen, FFIType, ptr } from "bun:ffi";
import { ForecourtError } from "../../core/errors.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const [MSG_DONTWAIT, MSG_NOSIGNAL] = [0x40, 0x4000];
/** Size of sockaddr_un's path on Linux. */
const PATH_BYTES = 108;

export type NotifySocket = {
  /** Throws `unavailable` when it is not taken: nobody listens, or so much waits there already. Never blocks. */
  send(message: string): void;
  [Symbol.dispose](): void;
};

/** Throws `misconfigured` for an address that there cannot be. */
export function openNotifySocket(path: string): NotifySocket {
  const address = unixAddress(path);
  const { i32, u64 } = FFIType;
  const libc = dlopen("libc.so.6", {
    socket: { args: [i32, i32, i32], returns: i32 },
    sendto: { args: [i32, FFIType.ptr, u64, i32, FFIType.ptr, i32], returns: FFIType.i64 },
    close: { args: [i32], returns: i32 },
  });
  const { socket, sendto, close } = libc.symbols;
  const descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
  return {
    send(text) {
      const message = Buffer.from(text);
      const how = MSG_DONTWAIT | MSG_NOSIGNAL;
      const sent = sendto(descriptor, ptr(message), message.length, how, ptr(address), address.length);
      if (Number(sent) !== message.length)
        throw new ForecourtError("unavailable", `systemd's socket ${path} took no message.`);
    },
    [Symbol.dispose]() {
      close(descriptor);
      libc.close();
    },
  };
}

/** A name that begins with `@` is abstract: its first byte is zero, and it ends with the address. */
function unixAddress(path: string): Buffer {
  const name = Buffer.from(path);
  if (name.length >= PATH_BYTES) throw new ForecourtError("misconfigured", `The socket path ${path} is too long.`);
  const isAbstract = path.startsWith("@");
  if (isAbstract) name[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name, Buffer.alloc(isAbstract ? 0 : 1)]);
}
