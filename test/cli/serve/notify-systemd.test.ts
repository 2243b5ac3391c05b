// sd_notify's datagrams, received on a real socket.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { notifySystemd } from "../../../src/cli/serve/notify-systemd.ts";
import { newFolder, removeFolders } from "../command.ts";
import { listenAsSystemd } from "./listen-as-systemd.ts";

afterAll(removeFolders);

test("a message arrives on a socket of the file system", () => {
  const path = join(newFolder(), "notify");
  using systemd = listenAsSystemd(path);
  notifySystemd("READY=1", path);
  notifySystemd("STOPPING=1", path);
  expect([systemd.receive(), systemd.receive(), systemd.receive()]).toEqual(["READY=1", "STOPPING=1", ""]);
});

test("a message arrives on an abstract socket", () => {
  const name = `@forecourt-test-${process.pid}`;
  using systemd = listenAsSystemd(name);
  notifySystemd("READY=1", name);
  expect(systemd.receive()).toBe("READY=1");
});

test("a socket that is not there is an error that names it", () => {
  expect(() => notifySystemd("READY=1", "/no/such/socket")).toThrow("/no/such/socket");
});

test("a path longer than such an address can be is refused", () => {
  expect(() => notifySystemd("READY=1", `/${"x".repeat(108)}`)).toThrow("too long");
});
