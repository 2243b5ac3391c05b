// sd_notify's datagrams, received on a real socket.
import { dlopen, FFIType, ptr } from "bun:ffi";
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { notifySystemd } from "../../../src/cli/serve/notify-systemd.ts";
import { newFolder } from "../command.ts";

const { i32, u64, i64 } = FFIType;
const libc = dlopen("libc.so.6", {
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, FFIType.ptr, i32], returns: i32 },
  recv: { args: [i32, FFIType.ptr, u64, i32], returns: i64 },
});
afterAll(() => libc.close());

/** A datagram socket bound to `name`; `receive` takes the next message, which must have arrived already. */
function listen(name: string) {
  const socket = libc.symbols.socket(1, 2, 0);
  const path = Buffer.from(name.replace(/^@/, "\0"));
  const address = Buffer.concat([Buffer.from([1, 0]), path, Buffer.alloc(name.startsWith("@") ? 0 : 1)]);
  expect(libc.symbols.bind(socket, ptr(address), address.length)).toBe(0);
  return () => {
    const message = Buffer.alloc(100);
    const doNotWait = 0x40;
    const length = Number(libc.symbols.recv(socket, ptr(message), message.length, doNotWait));
    return message.subarray(0, Math.max(0, length)).toString();
  };
}

test("a message arrives on a socket of the file system", () => {
  const path = join(newFolder(), "notify");
  const receive = listen(path);
  notifySystemd("READY=1", path);
  notifySystemd("STOPPING=1", path);
  expect([receive(), receive(), receive()]).toEqual(["READY=1", "STOPPING=1", ""]);
});

test("a message arrives on an abstract socket", () => {
  const name = `@forecourt-test-${process.pid}`;
  const receive = listen(name);
  notifySystemd("READY=1", name);
  expect(receive()).toBe("READY=1");
});

test("a socket that is not there is an error that names it", () => {
  expect(() => notifySystemd("READY=1", "/no/such/socket")).toThrow("/no/such/socket");
});

test("a path longer than such an address can be is refused", () => {
  expect(() => notifySystemd("READY=1", `/${"x".repeat(108)}`)).toThrow("too long");
});
