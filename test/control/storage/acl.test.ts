import { describe, expect, test } from "bun:test";
import type { Key } from "../../../src/control/keys/key.ts";
import { type Acl, decide, readLifecycle } from "../../../src/control/storage/acl.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";

const key = (name: string, scope: Key["scope"] = "api"): Key => ({
  ...{ id: asId<KeyId>(`id-${name}`), name, scope },
  createdAt: instant(0),
});

describe("rules", () => {
  const acl: Acl = {
    default: "hide",
    rules: [
      { user: "id-friend", decision: "allow" },
      { user: "team", decision: "forbid" },
      { user: "both", decision: "hide" },
      { user: "id-both", decision: "allow" },
    ],
  };

  test.each([
    ["nobody", undefined, "hide"],
    ["a stranger", key("stranger"), "hide"],
    ["the owner", key("owner"), "allow"],
    ["an admin", key("boss", "admin"), "allow"],
    ["a key by its id", key("friend"), "allow"],
    ["a key by its name", key("team"), "forbid"],
    ["the most permissive of several", key("both"), "allow"],
  ])("decide for %s", (_, reader, decision) => {
    expect(decide({ acl, owner: "id-owner" }, reader)).toBe(decision as "allow");
  });

  test("may be stricter for one key than for all", () => {
    const open: Acl = { default: "allow", rules: [{ user: "banned", decision: "forbid" }] };
    expect(decide({ acl: open, owner: "id-owner" }, key("banned"))).toBe("forbid");
    expect(decide({ acl: open, owner: "id-owner" }, undefined)).toBe("allow");
  });
});

describe("a lifecycle header", () => {
  test.each([
    ["{}", { acl: { default: "allow", rules: [] } }],
    ['{"expiration_duration_seconds":null}', { acl: { default: "allow", rules: [] } }],
    ['{"expiration_duration_seconds":60}', { acl: { default: "allow", rules: [] }, keepFor: milliseconds(60_000) }],
    ['{"expiration_duration_seconds":"never"}', { acl: { default: "allow", rules: [] } }],
    [
      '{"expiration_duration_seconds":"immediate"}',
      { acl: { default: "allow", rules: [] }, keepFor: milliseconds(60_000) },
    ],
    [
      '{"expiration_duration_seconds":"1h"}',
      { acl: { default: "allow", rules: [] }, keepFor: milliseconds(3_600_000) },
    ],
    ['{"initial_acl":{"default":"forbid"}}', { acl: { default: "forbid", rules: [] } }],
  ])("%s is understood", (json, lifecycle) => {
    expect(readLifecycle(json)).toEqual(lifecycle as ReturnType<typeof readLifecycle>);
  });

  test.each([
    "",
    "never",
    "[]",
    "7",
    '{"expiration_duration_seconds":0}',
    '{"expiration_duration_seconds":"2h"}',
    '{"expiration_duration_seconds":-1}',
    '{"expiration_duration_seconds":1e99}',
    '{"initial_acl":{"default":"maybe"}}',
    '{"initial_acl":{"default":"allow","rules":[{"user":"x","decision":"maybe"}]}}',
  ])("%p is a bad request", (json) => {
    expect(() => readLifecycle(json)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });
});
