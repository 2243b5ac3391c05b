// Who calls: what is read of a request's header and of its URL.
import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/control/database/open.ts";
import type { NewKey } from "../../src/control/keys/key.ts";
import { createKeys } from "../../src/control/keys/keys.ts";
import { createTokens, type Grant } from "../../src/control/keys/tokens.ts";
import { milliseconds } from "../../src/core/units.ts";
import {
  createAuthenticate,
  createAuthenticateStorage,
  requireScope,
  requireUse,
} from "../../src/gateway/authenticate.ts";
import { createTestClock } from "../support/test-clock.ts";

const clock = createTestClock();
const keys = createKeys({ database: openDatabase({ file: ":memory:" }), clock });
const tokens = createTokens({ keys, secret: new Uint8Array(32).fill(7), clock });
const { key, secret } = keys.create({ name: "app", scope: "api" });
const other = keys.create({ name: "other", scope: "api" });
const tokenFor = (grant: Grant) => tokens.issue({ key: key.id, grant, lifetime: milliseconds(1000) }).token;
const apps = tokenFor({ use: "apps", apps: ["flux"] });
const storage = tokenFor({ use: "storage" });

const authenticate = createAuthenticate({ keys, tokens });
const authenticateStorage = createAuthenticateStorage({ keys, tokens });
const request = (authorization?: string, url = "http://localhost/run/fal-ai/flux") =>
  new Request(url, authorization === undefined ? {} : { headers: { authorization } });
const failure = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it was let in");
};

describe("a header", () => {
  test.each([`Key ${secret}`, `Bearer ${secret}`, `KEY   ${secret}`, `  bearer ${secret}  `])(
    "is read: %s",
    (header) => {
      expect(authenticate(request(header)).id).toBe(key.id);
      expect(authenticateStorage(request(header)).id).toBe(key.id);
    },
  );

  test.each([secret, `Basic ${secret}`, "Key", "Key ", "", `Key ${secret} more`, `Key Key ${secret}`])(
    "is refused with what is expected: %s",
    (header) => {
      const wanted = { code: "unauthenticated", message: expect.stringContaining("Expected 'Authorization: Key") };
      expect(failure(() => authenticate(request(header)))).toMatchObject(wanted);
      expect(failure(() => authenticateStorage(request(header)))).toMatchObject(wanted);
    },
  );

  test("that is missing is asked for", () => {
    for (const each of [authenticate, authenticateStorage])
      expect(failure(() => each(request()))).toMatchObject({
        code: "unauthenticated",
        message: expect.stringMatching(/^No key given. Send the header 'Authorization: Key/),
      });
  });
});

describe("a token in a URL", () => {
  const of = (url: string) => authenticate(request(undefined, url)).id;

  test.each([
    `http://localhost/run/fal-ai/flux/stream?fal_jwt_token=${apps}`,
    `http://localhost/run/fal-ai/flux/realtime/?x=1&fal_jwt_token=${apps}`,
    `http://fal.run/fal-ai/flux/realtime?fal_jwt_token=${apps}`,
  ])("opens streams and connections of its endpoint: %s", (url) => {
    expect(of(url)).toBe(key.id);
  });

  test.each([
    "http://localhost/run/fal-ai/flux",
    "http://localhost/queue/fal-ai/flux/stream",
    "http://localhost/fal-ai/flux/stream",
    "http://localhost/run/fal-ai/flux/streams",
    "http://localhost/run/fal-ai/flux/my-stream",
  ])("opens nothing else: %s", (url) => {
    expect(failure(() => of(`${url}?fal_jwt_token=${apps}`))).toMatchObject({ code: "unauthenticated" });
  });

  test("opens no other endpoint, and says which it is for", () => {
    expect(failure(() => of(`http://localhost/run/fal-ai/other/stream?fal_jwt_token=${apps}`))).toMatchObject({
      code: "forbidden",
      message: "This token is for flux only.",
    });
  });

  test("of another use, of none and under another name is refused", () => {
    const stream = "http://localhost/run/fal-ai/flux/stream";
    for (const query of [`fal_jwt_token=${storage}`, "fal_jwt_token=", `my_fal_jwt_token=${apps}`])
      expect(failure(() => of(`${stream}?${query}`))).toMatchObject({ code: "unauthenticated" });
  });

  test("does not count beside a header", () => {
    const url = `http://localhost/run/fal-ai/flux/stream?fal_jwt_token=${apps}`;
    expect(authenticate(request(`Key ${other.secret}`, url)).id).toBe(other.key.id);
  });
});

test("a storage token is as good as its key for files, and for nothing else", () => {
  expect(authenticateStorage(request(`Bearer ${storage}`)).id).toBe(key.id);
  expect(failure(() => authenticate(request(`Bearer ${storage}`)))).toMatchObject({ code: "unauthenticated" });
  expect(failure(() => authenticateStorage(request(`Bearer ${apps}`)))).toMatchObject({ code: "unauthenticated" });
});

describe("a key", () => {
  const made = (more: Partial<NewKey>) => keys.create({ name: "made", scope: "api", ...more }).key;

  test("does what its scope and its permissions allow", () => {
    for (const allowed of [made({}), made({ scope: "admin" }), made({ permissions: ["assets:read", "models:run"] })])
      expect(() => requireUse(allowed, "models:run")).not.toThrow();
    expect(() => requireScope(made({ scope: "metrics" }), "admin", "metrics")).not.toThrow();
  });

  test.each<[Partial<NewKey>, string]>([
    [{ scope: "metrics" }, "This key has the scope metrics; needed is api or admin."],
    [{ permissions: ["assets:read"] }, "This key lacks the permission models:run."],
    [{ permissions: [] }, "This key lacks the permission models:run."],
  ])("with %j does not run models", (more, message) => {
    expect(failure(() => requireUse(made(more), "models:run"))).toMatchObject({ code: "forbidden", message });
  });
});
