// Uploads in every kind of store, with a real database: whole, in parts, hostile, expired.
import { beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Database } from "../../../src/control/database/open.ts";
import { OPEN } from "../../../src/control/storage/acl.ts";
import { createUploads, type NewUpload, type Uploads } from "../../../src/control/storage/uploads.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { bytes, milliseconds } from "../../../src/core/units.ts";
import { describeForEachStore, type StoreUnderTest } from "../../support/file-stores.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";

const HOUR = 60 * 60 * 1000;
describeForEachStore("uploads", (next) => {
  let clock: TestClock;
  let at: StoreUnderTest;
  let root: string;
  let uploads: Uploads;
  let database: Database;
  beforeEach(() => {
    clock = createTestClock();
    at = next();
    root = join(at.data, "uploads");
    database = at.database;
    uploads = createUploads({
      root,
      fileStore: at.store,
      removals: at.removals,
      database,
      clock,
      maxBytes: bytes(1000),
    });
  });

  const begin = (change: Partial<NewUpload> = {}) =>
    uploads.begin({
      key: asId<KeyId>("owner"),
      name: "a.txt",
      contentType: "text/plain",
      lifecycle: { acl: OPEN },
      ...change,
    });

  async function* content(...chunks: string[]) {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk);
  }

  /** Wherever it is, whole or half, once what is over has gone. */
  const kept = async () => {
    await at.removals.work();
    return (await at.names()).map((name) => basename(name));
  };

  const read = async ({ token, name }: { token: string; name: string }) => {
    const file = uploads.find(token, name);
    return file && (await new Response(await file.read()).text());
  };

  describe("an upload", () => {
    test("is there once its content is complete, with type, name and size", async () => {
      const upload = await begin();
      expect(uploads.find(upload.token, upload.name)).toBeUndefined();
      await uploads.write(upload.secret, content("hel", "lo"));
      expect(await read(upload)).toBe("hello");
      expect(uploads.find(upload.token, upload.name)).toMatchObject({
        ...{ name: "a.txt", contentType: "text/plain", size: 5, owner: "owner" },
        secondsLeft: Number.POSITIVE_INFINITY,
      });
    });

    test("may be empty", async () => {
      const upload = await begin();
      await uploads.write(upload.secret, content());
      expect(uploads.find(upload.token, upload.name)?.size).toBe(bytes(0));
    });

    test("is found by token and name together only", async () => {
      const upload = await begin();
      await uploads.write(upload.secret, content("x"));
      expect(uploads.find(upload.token, "b.txt")).toBeUndefined();
      expect(uploads.find(upload.secret, upload.name)).toBeUndefined();
      expect(uploads.find("A".repeat(22), upload.name)).toBeUndefined();
    });

    test("sent again is the same; other content is refused and leaves nothing", async () => {
      const upload = await begin();
      await uploads.write(upload.secret, content("first"));
      await uploads.write(upload.secret, content("fir", "st"));
      await expect(uploads.write(upload.secret, content("second"))).rejects.toMatchObject({ code: "bad_request" });
      expect(await read(upload)).toBe("first");
      expect(await kept()).toHaveLength(1);
    });

    test("of two contents at once, one wins whole", async () => {
      const upload = await begin();
      const results = await Promise.allSettled(
        ["aaaa", "bbbb"].map((text) => uploads.write(upload.secret, content(text, text))),
      );
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const winner = results[0]?.status === "fulfilled" ? "aaaaaaaa" : "bbbbbbbb";
      expect(await read(upload)).toBe(winner);
      expect(await kept()).toHaveLength(1);
    });

    test("that breaks off leaves nothing and can be sent again", async () => {
      const upload = await begin();
      async function* broken() {
        yield new TextEncoder().encode("half");
        throw new Error("connection lost");
      }
      await expect(uploads.write(upload.secret, broken())).rejects.toThrow("connection lost");
      expect(await kept()).toEqual([]);
      expect(uploads.find(upload.token, upload.name)).toBeUndefined();
      await uploads.write(upload.secret, content("whole"));
      expect(await read(upload)).toBe("whole");
    });

    test("beyond the limit is refused as soon as that shows", async () => {
      const upload = await begin();
      let sent = 0;
      async function* endless() {
        for (;;) {
          sent += 400;
          yield new Uint8Array(400);
        }
      }
      await expect(uploads.write(upload.secret, endless())).rejects.toMatchObject({ code: "payload_too_large" });
      expect(sent).toBe(1200);
      expect(await kept()).toEqual([]);
    });

    test("with a secret that nobody was given is not found", async () => {
      await expect(uploads.write("A".repeat(22), content("x"))).rejects.toMatchObject({ code: "not_found" });
      await expect(uploads.writePart("A".repeat(22), 1, content("x"))).rejects.toMatchObject({ code: "not_found" });
      expect(await kept()).toEqual([]);
    });

    test.each([
      ["../../etc/passwd", "passwd", "passwd"],
      ["C:\\temp\\x.png", "x.png", "x.png"],
      ["..", "file", ".."],
      [".hidden", "hidden", ".hidden"],
      ["", "file", "file"],
      ["a b/ü\u0000\r\n\"'.png", "_.png", "ü\"'.png"],
      ["\ud800.png", "_.png", "\ufffd.png"],
      [`${"x".repeat(500)}.png`, `${"x".repeat(96)}.png`, `${"x".repeat(251)}.png`],
    ])("named %p becomes %p in its URL and no path on disk", async (given, inUrl, original) => {
      const upload = await begin({ name: given });
      expect(upload.name).toBe(inUrl);
      await uploads.write(upload.secret, content("x"));
      expect(uploads.find(upload.token, upload.name)?.name).toBe(original);
      expect(await kept()).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    });

    test.each([
      ["image/PNG", "image/png"],
      ["text/plain; charset=utf-8", "text/plain; charset=utf-8"],
      ["image/svg+xml", "image/svg+xml"],
      ["text/html", "application/octet-stream"],
      ["application/xhtml+xml", "application/octet-stream"],
      ["text/javascript", "application/octet-stream"],
      ["text/plain\r\nx-evil: 1", "application/octet-stream"],
      ["", "application/octet-stream"],
    ])("of type %p is read as %p", async (given, type) => {
      const upload = await begin({ contentType: given });
      await uploads.write(upload.secret, content("x"));
      expect(uploads.find(upload.token, upload.name)?.contentType).toBe(type);
    });
  });

  describe("parts", () => {
    test("come in any order, are sent again, and are joined by their numbers", async () => {
      const upload = await begin();
      const third = await uploads.writePart(upload.secret, 3, content("cc"));
      await uploads.writePart(upload.secret, 1, content("wrong"));
      const first = await uploads.writePart(upload.secret, 1, content("aa"));
      const again = await uploads.writePart(upload.secret, 1, content("a", "a"));
      const second = await uploads.writePart(upload.secret, 2, content());
      expect(again).toEqual(first);
      await uploads.complete(upload.secret, [third, second, first]);
      expect(await read(upload)).toBe("aacc");
      expect(await kept()).toHaveLength(1);
    });

    test("completed twice, one after the other or at once, are complete", async () => {
      const upload = await begin();
      const part = await uploads.writePart(upload.secret, 1, content("a"));
      await Promise.all([uploads.complete(upload.secret, [part]), uploads.complete(upload.secret, [part])]);
      await uploads.complete(upload.secret, [part]);
      expect(await read(upload)).toBe("a");
      await expect(uploads.writePart(upload.secret, 2, content("b"))).rejects.toMatchObject({ code: "bad_request" });
    });

    test("that did not arrive, changed or are named twice are told, and nothing is lost", async () => {
      const upload = await begin();
      const first = await uploads.writePart(upload.secret, 1, content("a"));
      const second = await uploads.writePart(upload.secret, 2, content("b"));
      const wrong: { number: number; etag: string }[][] = [
        [first, { number: 3, etag: second.etag }],
        [first, { number: 2, etag: "0".repeat(64) }],
        [first, { number: 2, etag: "../../../etc/passwd" }],
        [first, first],
      ];
      for (const parts of wrong)
        await expect(uploads.complete(upload.secret, parts)).rejects.toMatchObject({ code: "bad_request" });
      await uploads.complete(upload.secret, [first, second]);
      expect(await read(upload)).toBe("ab");
    });

    test.each([0, 10_001, 1.5, Number.NaN])("cannot have the number %p", async (number) => {
      const upload = await begin();
      await expect(uploads.writePart(upload.secret, number, content("x"))).rejects.toMatchObject({
        code: "bad_request",
      });
    });

    test("together keep to the limit", async () => {
      const upload = await begin();
      await uploads.writePart(upload.secret, 1, content("x".repeat(600)));
      await expect(uploads.writePart(upload.secret, 2, content("x".repeat(401)))).rejects.toMatchObject({
        code: "payload_too_large",
      });
      await uploads.writePart(upload.secret, 1, content("y".repeat(1000)));
    });
  });

  describe("the room of a key", () => {
    const FILE = 16 * 1024;
    const owner = asId<KeyId>("owner");
    let narrow: Uploads;
    beforeEach(() => {
      narrow = createUploads({
        ...{ root, fileStore: at.store, removals: at.removals, database, clock, maxBytes: bytes(1000) },
        room: bytes(2 * FILE + 100),
      });
    });
    const opened = (change: Partial<NewUpload> = {}) =>
      narrow.begin({ key: owner, name: "a.txt", contentType: "text/plain", ...change });
    const full = { code: "room_full", details: { limit: 2 * FILE + 100 } };

    test("counts files and what is begun, and refuses more without keeping anything of it", async () => {
      const [first, second] = [await opened(), await opened()];
      await narrow.write(first.secret, content("x".repeat(60)));
      await expect(narrow.write(second.secret, content("y".repeat(30), "y".repeat(30)))).rejects.toMatchObject(full);
      await expect(opened()).rejects.toMatchObject(full);
      expect(narrow.room.taken(owner)).toBe(bytes(2 * FILE + 60));
      expect(await kept()).toHaveLength(1);
      await narrow.write(second.secret, content("y".repeat(40)));
      expect(narrow.room.taken(owner)).toBe(bytes(2 * FILE + 100));
      await narrow.write(second.secret, content("y".repeat(40)));
      await opened({ key: asId<KeyId>("another") });
    });

    test("is filled by what is arriving, whoever of them comes first", async () => {
      const [first, second] = [await opened(), await opened()];
      const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      async function* slow() {
        yield new Uint8Array(60);
        begun.resolve();
        await gate.promise;
      }
      const arriving = narrow.write(first.secret, slow());
      await begun.promise;
      await expect(narrow.write(second.secret, content("y".repeat(60)))).rejects.toMatchObject({
        ...full,
        details: { ...full.details, arriving: 60, needed: 60 },
      });
      gate.resolve();
      await arriving;
      expect(narrow.room.taken(owner)).toBe(bytes(2 * FILE + 60));
    });

    test("has place again for what was deleted, is over or broke off", async () => {
      const [first, second] = [await opened({ lifecycle: { acl: OPEN, keepFor: milliseconds(1000) } }), await opened()];
      await narrow.write(first.secret, content("x".repeat(90)));
      async function* broken() {
        yield new Uint8Array(10);
        throw new Error("connection lost");
      }
      await expect(narrow.write(second.secret, broken())).rejects.toThrow("connection lost");
      clock.advance(1001);
      expect(await narrow.removeExpired()).toBe(1);
      expect(narrow.room.taken(owner)).toBe(bytes(FILE));
      await narrow.write(second.secret, content("y".repeat(100)));
      await narrow.remove(second.token);
      expect(narrow.room.taken(owner)).toBe(bytes(0));
      expect(narrow.find(second.token, second.name)).toBeUndefined();
      expect(await kept()).toEqual([]);
    });

    test("counts parts as they come, replaced ones once, and what they are joined to instead of them", async () => {
      const upload = await opened();
      await narrow.writePart(upload.secret, 1, content("x".repeat(60)));
      const second = await narrow.writePart(upload.secret, 2, content("y".repeat(10)));
      await expect(narrow.writePart(upload.secret, 3, content("z".repeat(60)))).rejects.toMatchObject(full);
      const first = await narrow.writePart(upload.secret, 1, content("x".repeat(20)));
      expect(narrow.room.taken(owner)).toBe(bytes(2 * FILE + 30));
      await narrow.complete(upload.secret, [first, second]);
      expect(narrow.room.taken(owner)).toBe(bytes(FILE + 30));
    });

    test("is counted on after a restart", async () => {
      const upload = await opened();
      await narrow.write(upload.secret, content("x".repeat(50)));
      const restarted = createUploads({
        root,
        fileStore: at.store,
        removals: at.removals,
        database,
        clock,
        maxBytes: bytes(1000),
      });
      expect(restarted.room.taken(owner)).toBe(bytes(FILE + 50));
      await restarted.remove(upload.token);
      expect(restarted.room.taken(owner)).toBe(bytes(0));
    });
  });

  test("the files of a key are listed in pages, the latest first", async () => {
    const owner = asId<KeyId>("owner");
    const names = ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"];
    for (const [at, name] of names.entries()) {
      // Several of one moment too.
      if (at % 2 === 0) clock.advance(1);
      const upload = await begin({
        name,
        ...(name === "c.txt" && { lifecycle: { acl: OPEN, keepFor: milliseconds(5) } }),
      });
      if (name !== "d.txt") await uploads.write(upload.secret, content(name));
    }
    await uploads.write((await begin({ key: asId<KeyId>("another") })).secret, content("x"));
    const listed: string[] = [];
    for (let after: ReturnType<Uploads["list"]>[number]["at"] | undefined; ; ) {
      const [next] = uploads.list(owner, { limit: 1, after });
      if (!next) break;
      listed.push(next.originalName);
      after = next.at;
    }
    expect(listed.toSorted()).toEqual(["a.txt", "b.txt", "c.txt", "e.txt"]);
    expect(listed[0]).toBe("e.txt");
    clock.advance(6);
    expect(uploads.list(owner, { limit: 9 }).map(({ name }) => name)).not.toContain("c.txt");
  });

  describe("time", () => {
    test("a lifetime counts from the end of the upload, and is over for readers at once", async () => {
      const upload = await begin({ lifecycle: { acl: OPEN, keepFor: milliseconds(60_000) } });
      clock.advance(HOUR);
      await uploads.write(upload.secret, content("x"));
      clock.advance(59_999);
      expect(await read(upload)).toBe("x");
      expect(await uploads.sweep()).toBe(0);
      clock.advance(1);
      expect(uploads.find(upload.token, upload.name)).toBeUndefined();
      clock.advance(1);
      expect(await uploads.sweep()).toBe(1);
      expect(await kept()).toEqual([]);
      await expect(uploads.write(upload.secret, content("x"))).rejects.toMatchObject({ code: "not_found" });
    });

    test("what was never completed goes after a day, complete files stay", async () => {
      const complete = await begin();
      await uploads.write(complete.secret, content("kept"));
      const abandoned = await begin();
      await uploads.writePart(abandoned.secret, 1, content("half"));
      clock.advance(24 * HOUR);
      expect(await uploads.sweep()).toBe(0);
      clock.advance(1);
      await expect(uploads.writePart(abandoned.secret, 2, content("late"))).rejects.toMatchObject({
        code: "not_found",
      });
      expect(await uploads.sweep()).toBe(1);
      expect(await kept()).toHaveLength(1);
      expect(await read(complete)).toBe("kept");
    });

    test("parts of many are swept in turns, with other work in between", async () => {
      const parts = join(root, ".parts");
      for (let n = 0; n < 300; n++) mkdirSync(join(parts, `abandoned-${n}`), { recursive: true });
      let turns = 0;
      const immediate = () => {
        turns++;
        pending = setImmediate(immediate);
      };
      let pending = setImmediate(immediate);
      await uploads.sweep();
      clearImmediate(pending);
      expect(turns).toBeGreaterThanOrEqual(10);
      expect(readdirSync(parts)).toEqual([]);
    });

    test("what a killed server left behind goes at the next start and sweep", async () => {
      const upload = await begin();
      await uploads.write(upload.secret, content("kept"));
      for (const leftover of [".new/half", `.parts/${upload.token}/1-abc`, ".parts/unknown/1-abc"]) {
        mkdirSync(join(root, leftover, ".."), { recursive: true });
        writeFileSync(join(root, leftover), "left");
      }
      const restarted = createUploads({
        root,
        fileStore: at.store,
        removals: at.removals,
        database,
        clock,
        maxBytes: bytes(1000),
      });
      await restarted.sweep();
      expect(await kept()).toHaveLength(1);
      expect(await read(upload)).toBe("kept");
    });
  });
});
