// `forecourt backup` of a server at work and `forecourt restore` into another place: nothing that was accepted is missing.
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../support/live-server.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

afterAll(removeFolders);

test(
  "a backup under load holds every job that was accepted before it began, and serves again elsewhere",
  async () => {
    const folder = newFolder();
    const archive = join(folder, "box.tar");
    await using server = await startServer();
    const accepted: string[] = [];
    let isOver = false;
    const load = (async () => {
      while (!isOver) {
        const answer = await fetch(`${server.origin}/queue/forecourt/echo`, {
          method: "POST",
          headers: { authorization: `Key ${server.key}` },
          body: JSON.stringify({ prompt: `number ${accepted.length}` }),
        });
        const { request_id } = (await answer.json()) as { request_id: string };
        accepted.push(request_id);
      }
    })();
    while (accepted.length < 20) await Bun.sleep(5);
    const before = [...accepted];
    const made = await forecourt(["backup", archive, "--files", "--json", "--data", server.data]);
    isOver = true;
    await load;
    expect([made.exitCode, made.stderr]).toEqual([0, ""]);
    expect(JSON.parse(made.stdout)).toMatchObject({ file: archive, schema: expect.any(Number) });

    const refused = await forecourt(["restore", archive, "--data", server.data]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/Another Forecourt \(process \d+\) uses/);

    const data = join(folder, "elsewhere");
    const restored = await forecourt(["restore", archive, "--json", "--data", data]);
    expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    await using again = await startServer({ data });
    expect(again.key).toBe(server.key);
    for (const id of before) {
      const status = await fetch(`${again.origin}/queue/forecourt/echo/requests/${id}/status`, {
        headers: { authorization: `Key ${again.key}` },
      });
      expect(["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]).toContain(((await status.json()) as { status: string }).status);
    }
    using database = new Database(join(data, "forecourt.sqlite"), { readonly: true });
    const acts = database.query("SELECT action FROM audit_entry ORDER BY id").values().flat();
    expect(acts).toEqual(["forecourt restore"]);
  },
  { timeout: 60_000 },
);

test("what cannot be done is said in one sentence, with exit code 1", async () => {
  const data = newFolder();
  const nothing = await forecourt(["backup", join(data, "x.tar"), "--data", data]);
  expect(nothing.exitCode).toBe(1);
  expect(nothing.stderr.trim().split("\n")).toHaveLength(1);
  expect(existsSync(join(data, "x.tar"))).toBe(false);
  const nowhere = await forecourt(["backup", join(data, "none", "x.tar"), "--data", data]);
  expect([nowhere.exitCode, nowhere.stderr]).toEqual([2, expect.stringContaining(`There is no folder ${data}/none.`)]);
  const missing = await forecourt(["restore", join(data, "x.tar"), "--data", data]);
  expect([missing.exitCode, missing.stderr.trim().split("\n").length]).toEqual([1, 1]);
});
