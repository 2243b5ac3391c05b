// sd_notify's datagrams, received on a real socket.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openNotifySocket } from "../../../src/cli/serve/notify-socket.ts";
import { newFolder, removeFolders } from "../command.ts";
import { listenAsSystemd } from "./listen-as-systemd.ts";

afterAll(removeFolders);

test("messages arrive on a socket of the file system, in their order", () => {
  const path = join(newFolder(), "notify");
  using systemd = listenAsSystemd(path);
  using socket = openNotifySocket(path);
  socket.send("READY=1");
  socket.send("STOPPING=1");
  expect([systemd.receive(), systemd.receive(), systemd.receive()]).toEqual(["READY=1", "STOPPING=1", ""]);
});

test("a message arrives on an abstract socket", () => {
  const name = `@forecourt-test-${process.pid}`;
  using systemd = listenAsSystemd(name);
  using socket = openNotifySocket(name);
  socket.send("READY=1\nSTATUS=Ready");
  expect(systemd.receive()).toBe("READY=1\nSTATUS=Ready");
});

test("one that reads nothing holds nobody up, and is an error once no more goes in", () => {
  const path = join(newFolder(), "notify");
  using systemd = listenAsSystemd(path);
  using socket = openNotifySocket(path);
  let taken = 0;
  const fill = () => {
    for (; taken < 1_000_000; taken++) socket.send(`STATUS=${taken}`);
  };
  expect(fill).toThrow("took no message");
  expect(taken).toBeGreaterThan(0);
  expect(systemd.receive()).toBe("STATUS=0");
});

test("a socket that is not there is an error that names it", () => {
  using socket = openNotifySocket("/no/such/socket");
  expect(() => socket.send("READY=1")).toThrow("/no/such/socket");
});

test("a path longer than such an address can be is refused", () => {
  expect(() => openNotifySocket(`/${"x".repeat(108)}`)).toThrow("too long");
});
