// What must stay secret is in no log line and in no table, whatever callers do; files of the box are its account's alone.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../support/live-server.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

afterAll(removeFolders);

const HUB_TOKEN = "hf_thisTokenMustNeverBeSeen";

test(
  "secrets of keys, tokens and the box itself are neither logged nor stored in clear",
  async () => {
    const umask = process.umask(0o000);
    await using server = await startServer({
      env: { FORECOURT_LOG_LEVEL: "debug", FORECOURT_HUB_TOKEN: HUB_TOKEN },
    }).finally(() => process.umask(umask));
    const { origin, key, data } = server;
    const call = (path: string, options: { key?: string; body?: unknown; method?: string } = {}) =>
      fetch(`${origin}${path}`, {
        method: options.method ?? "POST",
        headers: { authorization: `Key ${options.key ?? key}`, "content-type": "application/json" },
        ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      });
    const made = (await (await call("/admin/v1/keys", { body: { name: "app" } })).json()) as {
      id: string;
      key: string;
    };
    const token = await (
      await call("/rest/tokens/", { body: { allowed_apps: ["echo"], token_expiration: 60 } })
    ).text();
    const storage = await (await call("/rest/storage/auth/token?storage_type=fal-cdn-v3", { body: {} })).text();
    const wrong = `${made.id}:wrongSecretThatSomebodyTried`;
    await call("/run/forecourt/echo", { key: made.key, body: { prompt: "hi" } });
    await call("/run/forecourt/echo", { key: wrong, body: { prompt: "hi" } });
    await call("/run/forecourt/echo", { key: made.key, body: { prompt: 7 } });
    await call(`/run/forecourt/echo/stream?fal_jwt_token=${token.replaceAll('"', "")}x`, { body: {} });
    await call(`/admin/v1/keys/${made.id}`, { method: "DELETE" });
    const byCommand = await forecourt(["keys", "create", "--name", "cli", "--json", "--data", data]);
    await forecourt(["doctor", "--json", "--data", data], { FORECOURT_HUB_TOKEN: HUB_TOKEN });

    const tokenText = (text: string) => /[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/.exec(text)?.[0];
    const secrets = {
      "admin key": key.split(":")[1],
      "made key": made.key.split(":")[1],
      "key by command": JSON.parse(byCommand.stdout).key.split(":")[1],
      "wrong secret": wrong.split(":")[1],
      "app token": tokenText(token),
      "storage token": tokenText(storage),
      "token secret": readFileSync(join(data, "token.secret"), "utf8").trim(),
      "webhook key": readFileSync(join(data, "webhook.key"), "utf8").split("\n")[1],
      "hub token": HUB_TOKEN,
    };
    const places = { log: server.output(), ...databaseOf(data) };
    expect(places.log).toContain('"level":"debug"');
    expect(Object.keys(places)).toContain("forecourt.sqlite-wal");
    for (const [name, secret = ""] of Object.entries(secrets)) {
      expect(`${name} ${secret.length >= 20}`).toBe(`${name} true`);
      for (const [place, text] of Object.entries(places))
        expect(`${name} in ${place}: ${text.includes(secret)}`).toBe(`${name} in ${place}: false`);
    }
    expect(readableByOthers(data)).toEqual([]);
  },
  { timeout: 60_000 },
);

const databaseOf = (data: string) =>
  Object.fromEntries(
    readdirSync(data)
      .filter((name) => name.startsWith("forecourt.sqlite"))
      .map((name) => [name, readFileSync(join(data, name), "latin1")]),
  );

/** Libraries may be read by all: they are the program's, and nobody's data. */
const readableByOthers = (data: string) =>
  readdirSync(data, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.startsWith("runtime"))
    .filter((name) => statSync(join(data, name)).isFile() && (statSync(join(data, name)).mode & 0o077) !== 0);

test("doctor shows that a secret is set, and not what it is", async () => {
  const data = newFolder();
  const { stdout, stderr } = await forecourt(["doctor", "--json", "--data", data], { FORECOURT_HUB_TOKEN: HUB_TOKEN });
  expect(stdout).toContain("********");
  expect(stdout + stderr).not.toContain(HUB_TOKEN);
});
