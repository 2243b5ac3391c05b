// Settings: where each value comes from, and what is said about wrong ones.
import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsDocument } from "../../src/control/settings/document.ts";
import { listSettings } from "../../src/control/settings/setting.ts";
import { resolveSettings, settingTree } from "../../src/control/settings.ts";
import { testFolder } from "../support/test-folder.ts";

const folder = testFolder("settings");

const ENV = { HOME: "/home/ada" };
const resolve = (given: Omit<Parameters<typeof resolveSettings>[0], "env"> & { env?: Record<string, string> }) =>
  resolveSettings({ ...given, env: { ...ENV, ...given.env } });
const fileWith = (text: string) => {
  const path = join(folder, `${Bun.hash(text)}.yaml`);
  writeFileSync(path, text);
  return path;
};
const originOf = (name: string, { origins }: ReturnType<typeof resolveSettings>) =>
  origins.find((each) => each.name === name)?.origin;

test("config/appliance.yaml holds every setting with its default", () => {
  const written = readFileSync(join(import.meta.dir, "../../config/appliance.yaml"), "utf8");
  expect(written).toBe(settingsDocument(settingTree));
});

test("the documented file, used as it is, gives the defaults", () => {
  const config = join(import.meta.dir, "../../config/appliance.yaml");
  expect(resolve({ config }).settings).toEqual(resolve({}).settings);
});

test("every setting has a documentation and an environment name of its own", () => {
  const settings = listSettings(settingTree);
  const names = settings.map(({ setting }) => setting.env);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, setting } of settings) {
    expect(setting.env).toBe(`FORECOURT_${name.toUpperCase().replaceAll(".", "_")}`);
    expect(setting.doc.length).toBeGreaterThan(10);
  }
});

test("a flag wins over the environment, the environment over the file, the file over the default", () => {
  const config = fileWith("port: 1111\nhost: 10.0.0.1\nthreads: 3\n");
  const resolved = resolve({
    config,
    flags: { port: "3333" },
    env: { FORECOURT_PORT: "2222", FORECOURT_THREADS: "2" },
  });
  expect(resolved.settings).toMatchObject({ port: 3333, threads: 2, host: "10.0.0.1", device: "auto" });
  expect(originOf("port", resolved)).toBe("--port");
  expect(originOf("threads", resolved)).toBe("FORECOURT_THREADS");
  expect(originOf("host", resolved)).toBe(config);
  expect(originOf("device", resolved)).toBe("default");
});

test("nested settings have dotted names in flags and groups in the file", () => {
  const config = fileWith("jobs:\n  retries: 7\nfetch:\n  allow: [10.0.0.0/8]\n");
  const { settings } = resolve({ config, flags: { "log.level": "debug" } });
  expect(settings.jobs.retries).toBe(7);
  expect(settings.fetch.allow).toEqual(["10.0.0.0/8"]);
  expect(settings.log.level).toBe("debug");
});

test("a list in the environment is separated by commas", () => {
  expect(resolve({ env: { FORECOURT_FETCH_ALLOW: "10.0.0.0/8, nas.local" } }).settings.fetch.allow).toEqual([
    "10.0.0.0/8",
    "nas.local",
  ]);
});

test("a map is JSON in the environment, and itself in the file", () => {
  const models = { "gpt-4o-mini": "owner/model", "gpt-image-1": ["owner/draws", "owner/edits"] };
  const env = { FORECOURT_OPENAI_MODELS: JSON.stringify(models) };
  expect(resolve({ env }).settings.openai.models).toEqual(models);
  const config = fileWith(
    "openai:\n  models:\n    gpt-4o-mini: owner/model\n    gpt-image-1: [owner/draws, owner/edits]\n",
  );
  expect(resolve({ config }).settings.openai.models).toEqual(models);
  expect(() => resolve({ env: { FORECOURT_OPENAI_MODELS: "gpt-4o-mini" } })).toThrow(
    /openai\.models.*FORECOURT_OPENAI_MODELS/,
  );
  expect(() => resolve({ env: { FORECOURT_OPENAI_MODELS: '{"a": 1}' } })).toThrow(/openai\.models/);
});

test.each([
  ["prot: 1", "Did you mean port?"],
  ["publicUrl: http://x", "Did you mean public_url?"],
  ["retention: 5", "Did you mean jobs.retention_days or usage.retention_days?"],
  ["body_mb: 5", "Did you mean limits.body_mb?"],
  ["webhooks:\n  nothing: 5", "There are webhooks.retry_seconds."],
])("what is no setting is answered with what may be meant: %j", (text, hint) => {
  expect(() => resolve({ config: fileWith(`${text}\n`) })).toThrow(hint);
});

test("a name like none is answered without a guess", () => {
  expect(() => resolve({ config: fileWith("nonsense: 1\n") })).toThrow(/there is no setting nonsense\.$/);
});

test("addresses that lead nowhere are refused: an origin with a path, a public URL with a query", () => {
  const read = (text: string) => resolve({ config: fileWith(`${text}\n`) }).settings;
  for (const origin of ["http://a/", "https://app.example.org/x", "app.example.org", "http://a b", ""])
    expect(() => read(`allow_origins: ["${origin}"]`)).toThrow("Setting allow_origins");
  const origins = ["*", "null", "https://app.example.org:8443", "capacitor://localhost"];
  expect(read(`allow_origins: ${JSON.stringify(origins)}`).allowOrigins).toEqual(origins);
  for (const url of ["http://x/?y", "http://x#y", "http://x/", "foo", "http://"])
    expect(() => read(`public_url: "${url}"`)).toThrow("Setting public_url");
  expect(read('public_url: "https://x/box"').publicUrl).toBe("https://x/box");
});

test("what is wrong deep inside a setting is named", () => {
  expect(() => resolve({ config: fileWith("pools: [{ name: a }]\n") })).toThrow("0.devices: Field required");
});

test("a part of a setting that is none is refused: a limit of a pool that was spelled wrong limited nothing", () => {
  const pool = "name: a, devices: [cpu], models: ['*']";
  const file = fileWith(`pools: [{ ${pool} }, { ${pool}, max_queue: 5 }]\n`);
  expect(() => resolve({ config: file })).toThrow(
    `Setting pools (from ${file}): there is no 1.max_queue; there are name, devices, models, concurrency, maxQueue.`,
  );
});

test("a data directory that is no whole path is refused like other wrong values", () => {
  for (const text of ["5", "[a]", "{ a: 1 }", "~/forecourt", '"~"'])
    expect(() => resolve({ config: fileWith(`data: ${text}\n`) })).toThrow(/^Setting data is /);
  expect(() => resolve({ env: { FORECOURT_DATA: "~/forecourt" } })).toThrow("should be a whole path");
});

test("what has a form of its own is refused in words, with an example", () => {
  const refused = {
    "alerts.key_spend": ["300", "300 USD/day"],
    "alerts.url": ["ops.example.org", "https://ops.example.org/alerts"],
    "memory.reserve": ["2048", "cuda:0=2048"],
    public_url: ["ai.example.org", "https://ai.example.org"],
    "storage.s3.bucket": ["Mine", "small letters"],
  };
  for (const [name, [value, words]] of Object.entries(refused))
    expect(() => resolve({ flags: { [name]: value } })).toThrow(words);
  for (const { name, setting } of listSettings(settingTree)) {
    const { pattern, expected } = setting.schema.items ?? setting.schema;
    if (pattern !== undefined) expect({ name, expected }).toEqual({ name, expected: expect.any(String) });
  }
});

test("a span of time beyond all dates and timers is refused", () => {
  for (const name of ["jobs.retention_days", "usage.retention_days", "fetch.timeout_seconds", "memory.line_seconds"])
    expect(() => resolve({ flags: { [name]: "1e15" } })).toThrow(/Input should be less than or equal to \d+\.$/);
});

test("an empty environment variable counts as not set", () => {
  expect(resolve({ env: { FORECOURT_PORT: "" } }).settings.port).toBe(3250);
});

test("the data directory follows the service, then XDG, then the home directory", () => {
  expect(resolve({}).settings.data).toBe("/home/ada/.local/share/forecourt");
  expect(resolve({ env: { XDG_DATA_HOME: "/xdg" } }).settings.data).toBe("/xdg/forecourt");
  const service = { XDG_DATA_HOME: "/xdg", STATE_DIRECTORY: "/var/lib/forecourt" };
  expect(resolve({ env: service }).settings.data).toBe("/var/lib/forecourt");
  expect(resolve({ env: { ...service, FORECOURT_DATA: "/mine" } }).settings.data).toBe("/mine");
});

test("appliance.yaml in the data directory is read by itself, and cannot move the data directory", () => {
  writeFileSync(join(folder, "appliance.yaml"), "port: 4444\n");
  expect(resolve({ flags: { data: folder } }).settings.port).toBe(4444);
  writeFileSync(join(folder, "appliance.yaml"), "data: /elsewhere\n");
  expect(() => resolve({ flags: { data: folder } })).toThrow(/data cannot be set by a file inside/);
  rmSync(join(folder, "appliance.yaml"));
});

test("a settings file elsewhere may name the data directory", () => {
  expect(resolve({ config: fileWith("data: /srv/forecourt\n") }).settings.data).toBe("/srv/forecourt");
});

test("Hugging Face's own variables count where nothing of ours is set", () => {
  const env = { HF_ENDPOINT: "https://mirror.example", HF_TOKEN: "hf_theirs", HF_HUB_OFFLINE: "1" };
  const theirs = resolve({ env });
  expect(theirs.settings.hub).toMatchObject({ endpoint: env.HF_ENDPOINT, token: env.HF_TOKEN, offline: true });
  expect(originOf("hub.token", theirs)).toBe("Hugging Face's environment");
  const config = join(import.meta.dir, "../../config/appliance.yaml");
  expect(resolve({ env, config }).settings.hub.token).toBe("hf_theirs");
  const ours = resolve({ env: { ...env, FORECOURT_HUB_TOKEN: "hf_ours" }, flags: { "hub.offline": "false" } });
  expect(ours.settings.hub).toMatchObject({ token: "hf_ours", offline: false, endpoint: env.HF_ENDPOINT });
});

test("secrets work but are not shown, nor are passwords in addresses", () => {
  const flags = { "hub.token": "hf_secret", "hub.proxy": "http://ada:lovelace@proxy.example:3128" };
  const { settings, origins } = resolve({ flags });
  expect(settings.hub).toMatchObject({ token: "hf_secret", proxy: flags["hub.proxy"] });
  const shown = JSON.stringify(origins);
  expect(shown).not.toContain("hf_secret");
  expect(shown).not.toContain("lovelace");
  expect(shown).toContain("http://ada:********@proxy.example:3128");
  const broken = { "hub.proxy": "http://ada:lovelace@proxy.example /" };
  expect(() => resolve({ flags: broken })).toThrow(/hub.proxy is "http:..ada:[*]{8}@proxy/);
});

const wrong: [string, Parameters<typeof resolve>[0], RegExp][] = [
  ["an unknown name in the file", { config: fileWith("prot: 1\n") }, /there is no setting prot. Did you mean p/],
  ["an unknown name in a group", { config: fileWith("jobs: { retry: 1 }\n") }, /there is no setting jobs.retry/],
  ["a group that is not one", { config: fileWith("jobs: 3\n") }, /jobs should be a mapping/],
  ["a file that is not YAML", { config: fileWith("a: [1\n") }, /is not valid YAML/],
  ["a file that is not there", { config: "/nowhere/a.yaml" }, /There is no settings file \/nowhere\/a.yaml/],
  [
    "a word for a number",
    { flags: { port: "many" } },
    /port is "many" \(from --port\): Input should be a valid integer/,
  ],
  ["a number out of range", { env: { FORECOURT_PORT: "70000" } }, /port is 70000 \(from FORECOURT_PORT\).*65535/],
  ["a device that is none", { config: fileWith("device: gpu\n") }, /device is "gpu" \(from .*yaml\).*"cuda"/],
  ["a flag that is no setting", { flags: { colour: "red" } }, /no setting colour/],
  ["a public URL with a slash at its end", { flags: { public_url: "https://a.example/" } }, /public_url/],
];
for (const [what, given, message] of wrong)
  test(`${what} is refused, with its name and origin`, () => {
    expect(() => resolve(given)).toThrow(message);
  });
