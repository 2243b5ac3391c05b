// Root on the data directory of another account, as the service's is: with real accounts of this machine, so by root alone.
import { afterAll, expect, test } from "bun:test";
import { chownSync } from "node:fs";
import { foreignDataNote } from "../../src/cli/foreign-data.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

afterAll(removeFolders);

const isRoot = process.getuid?.() === 0;

/** `daemon` is an account of every Linux. */
function ofDaemon(): string {
  const data = newFolder();
  chownSync(data, 1, 1);
  return data;
}

test.skipIf(!isRoot)("what root leaves in another's data directory is said, with the way to hand it over", async () => {
  const data = ofDaemon();
  const { exitCode, stderr } = await forecourt(["models", "pull", "forecourt/demo-diffusion", "--data", data]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain(`${data} belongs to daemon`);
  expect(stderr).toContain(`chown -R daemon: "${data}"`);
  expect(stderr).toContain("sudo -u daemon forecourt models pull");
});

test.skipIf(!isRoot)("nothing is said of root's own directory, nor by commands that leave no files", () => {
  const command = "models pull";
  expect(foreignDataNote({ command, data: ofDaemon() })).toContain("models pull");
  expect(foreignDataNote({ command, data: newFolder() })).toBeUndefined();
  expect(foreignDataNote({ command: "keys create", data: ofDaemon() })).toBeUndefined();
  expect(foreignDataNote({ command, data: "/no/such/place" })).toBeUndefined();
});
