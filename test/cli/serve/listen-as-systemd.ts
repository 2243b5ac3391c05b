// systemd's end of sd_notify: a Unix datagram socket, made through the C library since Bun has none.
import { dlopen, FFIType, ptr } from "bun:ffi";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** Binds `name` (a path, or `@name` for an abstract one). `receive` gives the next message that has arrived, else "". */
export function listenAsSystemd(name: string): { receive(): string } & Disposable {
  const { i32, u64, i64 } = FFIType;
  const libc = dlopen("libc.so.6", {
    socket: { args: [i32, i32, i32], returns: i32 },
    bind: { args: [i32, FFIType.ptr, i32], returns: i32 },
    recv: { args: [i32, FFIType.ptr, u64, i32], returns: i64 },
    close: { args: [i32], returns: i32 },
  });
  const socket = libc.symbols.socket(AF_UNIX, SOCK_DGRAM, 0);
  const isAbstract = name.startsWith("@");
  const path = Buffer.from(isAbstract ? name.replace("@", "\0") : `${name}\0`);
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), path]);
  if (libc.symbols.bind(socket, ptr(address), address.length) !== 0) throw new Error(`cannot bind ${name}`);
  return {
    receive() {
      const message = Buffer.alloc(4096);
      const length = Number(libc.symbols.recv(socket, ptr(message), message.length, MSG_DONTWAIT));
      return message.subarray(0, Math.max(0, length)).toString();
    },
    [Symbol.dispose]() {
      libc.symbols.close(socket);
      libc.close();
    },
  };
}
