// Tells systemd how the service is doing (sd_notify's protocol: one datagram on a Unix socket).
import { dlopen, FFIType, ptr } from "bun:ffi";
import { ForecourtError } from "../../core/errors.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** Size of sockaddr_un's path on Linux. */
const PATH_BYTES = 108;

/** Bun has no datagram sockets of this family, so it is done through the C library. Throws `unavailable` when refused. */
export function notifySystemd(state: "READY=1" | "STOPPING=1", socketPath: string): void {
  const { i32, u64 } = FFIType;
  const libc = dlopen("libc.so.6", {
    socket: { args: [i32, i32, i32], returns: i32 },
    sendto: { args: [i32, FFIType.ptr, u64, i32, FFIType.ptr, i32], returns: FFIType.i64 },
    close: { args: [i32], returns: i32 },
  });
  try {
    const message = Buffer.from(state);
    const address = unixAddress(socketPath);
    const socket = libc.symbols.socket(AF_UNIX, SOCK_DGRAM, 0);
    const sent = libc.symbols.sendto(socket, ptr(message), message.length, 0, ptr(address), address.length);
    libc.symbols.close(socket);
    if (Number(sent) !== message.length)
      throw new ForecourtError("unavailable", `systemd's socket ${socketPath} took no message.`);
  } finally {
    libc.close();
  }
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
