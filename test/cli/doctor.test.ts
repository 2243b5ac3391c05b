// `forecourt doctor` on this machine.
import { Database, Database as Sqlite } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeCertificates } from "../../src/cli/tls/certificate-files.ts";
import { startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

afterAll(removeFolders);

test("it reports devices, data, server and every setting's origin, and makes nothing", async () => {
  const data = join(newFolder(), "absent");
  const { exitCode, stdout } = await forecourt(["doctor", "--json", "--data", data, "--port", "0"], {
    FORECOURT_THREADS: "2",
  });
  expect(exitCode).toBe(0);
  const report = JSON.parse(stdout);
  expect(report.devices.at(-1)).toMatchObject({ id: "cpu", kind: "cpu" });
  expect(report.data).toMatchObject({ path: data, state: "absent", hasDatabase: false });
  expect(report.data.freeBytes).toBeGreaterThan(0);
  expect(report.server.state).toBe("free");
  expect(report.models).toBeGreaterThan(0);
  const originOf = (name: string) => report.settings.find((each: { name: string }) => each.name === name)?.origin;
  expect([originOf("data"), originOf("threads"), originOf("host")]).toEqual(["--data", "FORECOURT_THREADS", "default"]);
  expect(existsSync(data)).toBe(false);
});

test("a port held by another program is a failure with the way out", async () => {
  using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("no", { status: 404 }) });
  const { exitCode, stdout, stderr } = await forecourt(["doctor", "--data", newFolder(), "--port", String(other.port)]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`FAILED   another program holds http://127.0.0.1:${other.port}`);
  expect(stdout).toContain("--port");
  expect(stderr).toStartWith("forecourt: 1 of the points above");
});

test("it tells what takes the room, and of a database that gives nothing back how it comes to", async () => {
  const data = newFolder();
  mkdirSync(join(data, "uploads"));
  writeFileSync(join(data, "uploads", "a"), new Uint8Array(5_000_000).fill(1));
  {
    using old = new Sqlite(join(data, "forecourt.sqlite"), { create: true });
    old.run("CREATE TABLE ballast (content BLOB)");
    for (let n = 0; n < 300; n++) old.run("INSERT INTO ballast VALUES (zeroblob(1048576))");
    old.run("DELETE FROM ballast");
  }
  const { stdout } = await forecourt(["doctor", "--data", data, "--port", "0"]);
  expect(stdout).toMatch(/room +database \d+ MB, uploads 5 MB/);
  expect(stdout).toContain("WARNING  the database keeps");
  const { data: facts } = JSON.parse((await forecourt(["doctor", "--json", "--data", data, "--port", "0"])).stdout);
  expect(facts.database.canShrink).toBe(false);
  expect(facts.database.unusedBytes).toBeGreaterThan(300 * 2 ** 20);

  // The way that it names.
  const file = join(newFolder(), "box.tar");
  for (const command of [
    ["backup", file],
    ["restore", file],
  ])
    expect((await forecourt([...command, "--data", data])).exitCode).toBe(0);
  const after = JSON.parse((await forecourt(["doctor", "--json", "--data", data, "--port", "0"])).stdout);
  expect(after.data.database).toMatchObject({ canShrink: true });
  expect(after.data.database.bytes).toBeLessThan(2 ** 20);
  expect(JSON.stringify(after.complaints)).not.toContain("database");
});

test("a wrong model file is a failure that names it", async () => {
  const data = newFolder();
  mkdirSync(join(data, "models"));
  writeFileSync(join(data, "models", "broken.yaml"), "id: [");
  const { exitCode, stdout } = await forecourt(["doctor", "--data", data, "--port", "0"]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain("broken.yaml");
});

test("a device that this box lacks is a failure, not a silent fall-back", async () => {
  const { exitCode, stdout } = await forecourt(["doctor", "--data", newFolder(), "--port", "0", "--device", "cuda"]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain("the device cuda is set, but this box has none that works");
});

test("a data directory that can't be made is a failure", async () => {
  const file = join(newFolder(), "file");
  writeFileSync(file, "");
  const { exitCode, stdout } = await forecourt(["doctor", "--data", join(file, "data"), "--port", "0"]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`the data directory ${join(file, "data")} can't be written`);
});

test.each([
  [
    "was written by a newer Forecourt (schema 999",
    (file: string) => madeDatabase(file).run("PRAGMA user_version = 999"),
  ],
  ["cannot be read", (file: string) => writeFileSync(file, "no database. ".repeat(1000))],
])("a database that the server would refuse is a failure: it %s", async (says, make) => {
  const data = newFolder();
  make(join(data, "forecourt.sqlite"));
  const { exitCode, stdout } = await forecourt(["doctor", "--data", data, "--port", "0"]);
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining(says)]);
});

const madeDatabase = (file: string) => new Database(file, { create: true });

test("what was changed after the server began is told to wait for the next start", async () => {
  const data = newFolder();
  const settings = join(data, "appliance.yaml");
  writeFileSync(settings, "jobs: { retries: 1 }\n");
  await using _server = await startServer({ data });
  const changed = async () => {
    const { complaints } = JSON.parse((await forecourt(["doctor", "--json", "--data", data])).stdout);
    return (complaints as { what: string }[]).flatMap(
      ({ what }) => /^(.*) was changed after the server/.exec(what)?.[1] ?? [],
    );
  };
  expect(await changed()).toEqual([]);
  writeFileSync(settings, "jobs: { retries: 2 }\n");
  expect(await changed()).toEqual([settings]);
});

test.skipIf(process.getuid?.() !== 0)("a data directory from which no code can be loaded is told", async () => {
  const folder = newFolder();
  if (!Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", folder]).success) return;
  try {
    const data = join(folder, "below");
    const { stdout } = await forecourt(["doctor", "--data", data, "--port", "0"]);
    expect(stdout).toContain(`the file system of ${data} is mounted noexec`);
  } finally {
    Bun.spawnSync(["umount", "-l", folder]);
  }
});

test("a name for OpenAI's clients that leads to no model is a warning", async () => {
  const { exitCode, stdout } = await forecourt(["doctor", "--data", newFolder(), "--port", "0"], {
    FORECOURT_OPENAI_MODELS: '{"gpt-4o": "forecourt/demo-llama", "gpt-5": ["nobody/nothing"]}',
  });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("openai.models gives the name gpt-5 to nobody/nothing");
  expect(stdout).not.toContain("gives the name gpt-4o ");
});

test("settings that the server refuses when it starts are failures", async () => {
  const { exitCode, stdout } = await forecourt(["doctor", "--json", "--data", newFolder(), "--port", "0"], {
    FORECOURT_FETCH_ALLOW: "10.0.0.0/99",
    FORECOURT_TLS_CERT: "/nowhere/cert.pem",
    FORECOURT_TLS_KEY: "/nowhere/key.pem",
  });
  expect(exitCode).toBe(1);
  const { complaints } = JSON.parse(stdout);
  for (const what of ["10.0.0.0/99 is not a network", "tls.cert cannot be read"])
    expect(complaints).toContainEqual(
      expect.objectContaining({ severity: "failed", what: expect.stringContaining(what) }),
    );
});

test("a certificate that ended is a failure: clients refuse to speak to the box", async () => {
  const { files } = await writeCertificates({
    dir: newFolder(),
    names: ["localhost"],
    days: 1,
    now: new Date("2020-01-01T00:00:00Z"),
  });
  const { exitCode, stdout } = await forecourt(["doctor", "--data", newFolder(), "--port", "0"], {
    FORECOURT_TLS_CERT: files.certificate,
    FORECOURT_TLS_KEY: files.key,
  });
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining(`${files.certificate} ended on 2020-01-02`)]);
});

test("a model of the operator's that no device here has room for is told before its weights are fetched", async () => {
  const data = newFolder();
  mkdirSync(join(data, "models"));
  const { text } = testModel("acme/huge", { memory: { weights: 1e15, working: 0 } });
  writeFileSync(join(data, "models/huge.yaml"), text);
  const { exitCode, stdout } = await forecourt(["doctor", "--json", "--data", data, "--port", "0"]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).complaints).toContainEqual({
    severity: "warning",
    what: expect.stringMatching(/huge\.yaml: acme\/huge needs 953674317 MiB and models may take \d+ MiB here/),
    remedy: expect.stringContaining("memory.budget_mb"),
  });
});
