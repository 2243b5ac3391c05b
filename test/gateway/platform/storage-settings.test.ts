// What a key wants for its files where a request says nothing.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const PATH = "/platform/v1/storage/settings";
const put = async (body: unknown) => await (await gateway.ask("PUT", PATH, { body })).json();
const read = async () => await (await gateway.ask("GET", PATH)).json();
beforeEach(() => put({}));

const upload = async (headers: Record<string, string> = {}) => {
  const answer = await gateway.ask("POST", "/cdn/files/upload", { body: "content", headers });
  return (await answer.json()).access_url;
};
const open = async (url: string) => (await gateway.ask("GET", url, { key: "" })).status;

/** The URL of its one file. */
async function run(headers: Record<string, string> = {}): Promise<string> {
  const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "x" }, headers });
  const held = await gateway.nextRun();
  held.finish({ images: [{ url: held.save("a.png", "picture") }] });
  return (await (await answer).json()).images[0].url;
}

describe("storage settings", () => {
  test("are empty at first, kept as they are set, and set anew as a whole", async () => {
    expect(await read()).toEqual({ expiration_duration_seconds: null, initial_acl: null });
    const acl = { default: "forbid", rules: [{ user: "test-admin", decision: "allow" }] };
    const set = { expiration_duration_seconds: 3600, initial_acl: acl };
    expect(await put(set)).toEqual(set);
    expect(await read()).toEqual(set);
    expect(await put({ expiration_duration_seconds: 60 })).toEqual({
      ...{ expiration_duration_seconds: 60, initial_acl: null },
    });
    expect(await put({ expiration_duration_seconds: null, initial_acl: null })).toEqual({
      ...{ expiration_duration_seconds: null, initial_acl: null },
    });
  });

  test("drop rules for keys that do not exist", async () => {
    const rules = [{ user: "nobody", decision: "allow" }];
    expect((await put({ initial_acl: { default: "hide", rules } })).initial_acl).toEqual({
      default: "hide",
      rules: [],
    });
  });

  test("hold for uploads and outputs that come from then on, unless a request says otherwise", async () => {
    const before = [await upload(), await run()];
    await put({ initial_acl: { default: "hide" } });
    for (const url of before) expect(await open(url)).toBe(200);
    for (const url of [await upload(), await run()]) {
      expect(await open(url)).toBe(404);
      expect((await gateway.ask("GET", url)).status).toBe(200);
    }
    const says = JSON.stringify({ initial_acl: { default: "allow" } });
    expect(await open(await upload({ "x-fal-object-lifecycle": says }))).toBe(200);
    expect(await open(await run({ "x-fal-object-lifecycle-preference": says }))).toBe(200);
  });

  test("are each key's own, and wrong ones are refused", async () => {
    await put({ initial_acl: { default: "hide" } });
    const { secret } = gateway.keys.create({ name: "other", scope: "api" });
    const others = await gateway.ask("GET", PATH, { key: secret });
    expect(await others.json()).toEqual({ expiration_duration_seconds: null, initial_acl: null });
    for (const body of [{ expiration_duration_seconds: 0 }, { initial_acl: { default: "maybe" } }])
      expect((await gateway.ask("PUT", PATH, { body })).status).toBe(400);
  });
});

describe("a job's output file", () => {
  const at = (call: string, file: string) => `/platform/v1/storage/files/${call}?url=${encodeURIComponent(file)}`;

  test("has rules that its caller reads and sets, and that count at once", async () => {
    const url = await run();
    expect(await (await gateway.ask("GET", at("acl", url))).json()).toEqual({ default: "allow", rules: [] });
    const acl = { default: "hide", rules: [] };
    expect(await (await gateway.ask("PUT", at("acl", url), { body: acl })).json()).toEqual(acl);
    expect([await open(url), (await gateway.ask("GET", url)).status]).toEqual([404, 200]);
    await gateway.ask("PUT", at("acl", url), { body: { default: "allow" } });
    expect(await open(url)).toBe(200);
  });

  test("is read by a signed URL whatever its rules say, as long as that is good", async () => {
    const says = JSON.stringify({ initial_acl: { default: "forbid" } });
    const url = await run({ "x-fal-object-lifecycle-preference": says });
    const other = await run({ "x-fal-object-lifecycle-preference": says });
    expect(await open(url)).toBe(403);
    const signed = await gateway.ask("POST", at("sign", url), { body: { expiration_seconds: 60 } });
    const { signed_url } = await signed.json();
    expect(await (await gateway.ask("GET", signed_url, { key: "" })).text()).toBe("picture");
    const identity = new URL(signed_url).searchParams.get("identity");
    expect(await open(`${other}?identity=${identity}`)).toBe(403);
    expect(await open(`${url}?identity=x`)).toBe(403);
  });

  test("is nobody else's to share", async () => {
    const url = await run();
    const { secret: key } = gateway.keys.create({ name: "stranger", scope: "api" });
    expect((await gateway.ask("GET", at("acl", url), { key })).status).toBe(404);
    expect((await gateway.ask("POST", at("sign", url), { key, body: {} })).status).toBe(404);
    expect((await gateway.ask("GET", at("acl", url), { key: gateway.adminKey })).status).toBe(200);
  });
});
