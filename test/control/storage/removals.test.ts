// Files that are over: gone for everybody at once, from the disk and the bucket as soon as these let us, whatever happens to both.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFiles } from "../../../src/control/storage/files.ts";
import { addressOf, createS3Ask, elementsIn, textIn } from "../../../src/control/storage/s3-request.ts";
import { createS3Store } from "../../../src/control/storage/s3-store.ts";
import { newFileToken } from "../../../src/core/ids.ts";
import { createLog } from "../../../src/core/log.ts";
import { bytes, MIB } from "../../../src/core/units.ts";
import { createStores } from "../../support/file-stores.ts";
import { hasS3Server, type S3Server, startS3Server } from "../../support/s3-server.ts";
import { testFolder } from "../../support/test-folder.ts";
import { until } from "../../support/until.ts";

const folder = testFolder("removals");
const emptyFolder = () => {
  const data = join(folder, crypto.randomUUID());
  mkdirSync(data);
  return data;
};
const options = {
  ...{ bucket: "b", endpoint: "", region: "eu-west-1", accessKeyId: "id", secretAccessKey: "secret" },
  ...{ sessionToken: "", prefix: "box/", virtualHosted: false },
};
const MINUTES = 60 * 1000;

describe("an address", () => {
  test.each([
    {},
    { virtualHosted: true },
    { endpoint: "http://127.0.0.1:9000" },
    { endpoint: "https://minio.example/store/" },
    { endpoint: "https://b.minio.example:9000", virtualHosted: true },
  ])("of %p is where S3's clients look for it", (change) => {
    const { virtualHosted, ...all } = { ...options, ...change };
    const client = new Bun.S3Client({
      ...all,
      ...(!all.endpoint && { endpoint: undefined as never }),
      virtualHostedStyle: virtualHosted,
    });
    const url = new URL(client.presign("a"));
    expect(`${addressOf({ ...options, ...change })}/a`).toBe(`${url.origin}${url.pathname}`);
  });
});

/** A store that takes lists of what to delete, and does with each name as the test says. */
function bucketOf(refusal: (name: string) => string | undefined, isListed = true) {
  const requests: string[][] = [];
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const { searchParams, pathname } = new URL(request.url);
      if (request.method === "GET") return new Response("<ListBucketResult></ListBucketResult>");
      const names = searchParams.has("delete")
        ? elementsIn(await request.text(), "Key")
        : [pathname.slice("/b/".length)];
      if (searchParams.has("delete") && !isListed) return new Response(null, { status: 501 });
      requests.push(names);
      const errors = names.flatMap((name) => {
        const code = refusal(name);
        return code ? [`<Error><Key>${name}</Key><Code>${code}</Code></Error>`] : [];
      });
      if (searchParams.has("delete")) return new Response(`<DeleteResult>${errors.join("")}</DeleteResult>`);
      return errors[0] ? new Response(errors[0], { status: 403 }) : new Response(null, { status: 204 });
    },
  });
  const s3 = createS3Store({ ...options, endpoint: server.url.href });
  return { s3, requests, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** So many folders that are over, with a file each in the bucket. */
function over(count: number, { books, removals, database }: ReturnType<typeof createStores>): string[] {
  const names = Array.from({ length: count }, (_, at) => `files/${String(at).padStart(22, "0")}`);
  database.write(() => {
    for (const name of names) books.add(`${name}/a.png`);
    for (const name of names) removals.add(name);
  });
  return names;
}

describe("what is over in a bucket", () => {
  test("goes with a request for each thousand files, and none for those that have none", async () => {
    await using bucket = bucketOf(() => undefined);
    const stores = createStores({ data: emptyFolder(), s3: bucket.s3 });
    over(2_500, stores);
    stores.database.write(() => {
      for (let at = 0; at < 5_000; at++) stores.removals.add(`files/${newFileToken()}`);
    });
    expect(await stores.removals.work()).toBe(7_500);
    expect(bucket.requests.map((names) => names.length)).toEqual([1_000, 1_000, 500]);
    expect(bucket.requests[0]?.[0]).toMatch(/^box\/files\/0{22}\/a\.png$/);
    expect(stores.database.sqlite.query("SELECT * FROM file_removal").all()).toEqual([]);
    expect(stores.database.sqlite.query("SELECT * FROM bucket_object").all()).toEqual([]);
  });

  test("goes one by one from a store that takes no lists", async () => {
    await using bucket = bucketOf((name) => (name.includes("2/") ? "AccessDenied" : undefined), false);
    const stores = createStores({ data: emptyFolder(), s3: bucket.s3 });
    over(4, stores);
    await expect(stores.removals.work()).rejects.toThrow("2/a.png in s3://b/box/");
    expect(bucket.requests).toHaveLength(4);
    expect(stores.database.sqlite.query("SELECT name FROM file_removal").values().flat()).toEqual([
      expect.stringMatching(/2$/),
    ]);
  });

  test("stays where the store refuses one file, all others go, and that is tried again and again", async () => {
    let isDenied = true;
    await using bucket = bucketOf((name) => (isDenied && name.includes("7/") ? "AccessDenied" : undefined));
    const stores = createStores({ data: emptyFolder(), s3: bucket.s3 });
    const denied = over(10, stores)[7] ?? "";
    const waiting = () => stores.database.sqlite.query("SELECT name FROM file_removal").values().flat();
    for (const wait of [2_000, 4_000, 8_000]) {
      await expect(stores.removals.work()).rejects.toThrow("AccessDenied");
      expect(waiting()).toEqual([denied]);
      stores.clock.advance(wait - 1);
      expect(await stores.removals.work()).toBe(0);
      stores.clock.advance(1);
    }
    expect(bucket.requests).toHaveLength(3);
    expect(stores.removals.has(`${denied}/a.png`)).toBe(true);
    isDenied = false;
    expect(await stores.removals.work()).toBe(1);
    expect(waiting()).toEqual([]);
  });

  test("is not put off by a clock that was set back", async () => {
    let isDenied = true;
    await using bucket = bucketOf(() => (isDenied ? "SlowDown" : undefined));
    const stores = createStores({ data: emptyFolder(), s3: bucket.s3 });
    over(1, stores);
    await expect(stores.removals.work()).rejects.toThrow("SlowDown");
    stores.clock.jump(-60 * 24 * 60 * MINUTES);
    isDenied = false;
    expect(await stores.removals.work()).toBe(1);
  });

  test("is told once while it waits, and once when it goes on; the server tries by itself", async () => {
    const lines: string[] = [];
    let isDenied = true;
    await using bucket = bucketOf(() => (isDenied ? "AccessDenied" : undefined));
    const log = createLog({ level: "info", format: "json", write: (line) => lines.push(line) });
    const stores = createStores({ data: emptyFolder(), s3: bucket.s3, log });
    stores.removals.start();
    await until(() => stores.clock.pending() === 1);
    over(1, stores);
    for (let tries = 1; tries <= 4; tries++) {
      await until(() => bucket.requests.length >= tries && stores.clock.pending() === 1);
      isDenied = tries < 3;
      stores.clock.advance(MINUTES);
    }
    await until(() => lines.length === 2);
    expect(lines[0]).toContain("AccessDenied");
    expect(lines[1]).toContain("can be removed again");
    await stores.removals.stop();
  });

  test("waits for its bucket where none is set any more, and nobody finds it meanwhile", async () => {
    await using bucket = bucketOf(() => undefined);
    const data = emptyFolder();
    const { database, clock, books } = createStores({ data, s3: bucket.s3 });
    const without = createStores({ data, database, clock });
    const [name] = over(1, { ...without, books });
    await expect(without.removals.work()).rejects.toThrow("storage.s3.bucket");
    expect(without.removals.has(`${name}/a.png`)).toBe(true);
    clock.advance(10 * MINUTES);
    expect(await createStores({ data, s3: bucket.s3, database, clock }).removals.work()).toBe(1);
    expect(bucket.requests).toEqual([[`box/${name}/a.png`]]);
  });
});

describe("what is over on a disk", () => {
  test("stays in the table while it cannot be removed there", async () => {
    const { removals, database, clock } = createStores({ data: "/proc/self" });
    database.write(() => removals.add("status"));
    await expect(removals.work()).rejects.toThrow();
    expect(removals.has("status")).toBe(true);
    clock.advance(2_000);
    await expect(removals.work()).rejects.toThrow();
  });
});

describe.skipIf(!hasS3Server)("a real bucket", () => {
  let server: S3Server;
  let count = 0;
  beforeAll(async () => {
    server = await startS3Server();
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());
  const stage = () => {
    const prefix = `removals-${++count}/`;
    const sizes = { pieceBytes: bytes(5 * MIB), partBytes: bytes(5 * MIB) };
    const s3 = createS3Store({ ...server, prefix }, sizes);
    const data = emptyFolder();
    const names = async () => (await server.names()).filter((name) => name.startsWith(prefix));
    const ask = createS3Ask({ ...server, prefix });
    /** Keys of what was begun in parts and is not over. */
    const inParts = async () => {
      const query = { uploads: "", prefix };
      const response = await ask({ method: "GET", key: "", query, signal: new AbortController().signal });
      return elementsIn(await response.text(), "Upload").map((upload) => textIn(upload, "Key"));
    };
    const fileOf = (size: number) => {
      const path = join(data, crypto.randomUUID());
      writeFileSync(path, new Uint8Array(size).fill(7));
      return path;
    };
    return { ...createStores({ data, s3 }), s3, data, names, inParts, fileOf, prefix };
  };
  /** Nothing of it is sent after what the books know of it. */
  const cutOff = async ({ database, books, s3, fileOf }: ReturnType<typeof stage>, known: (id: string) => string) => {
    const name = "uploads/a/1";
    database.write(() => books.add(name));
    const begun = (_: string, id: string) => {
      database.write(() => books.setParts(name, known(id)));
      throw new Error("cut off");
    };
    await expect(s3.put(name, fileOf(6 * MIB), { ...NO_BOOK, begun })).rejects.toThrow("cut off");
  };
  const NO_BOOK = { begins: async () => {}, begun() {}, over() {} };

  test("that is away delays nothing but the removal: the file is gone for all who ask", async () => {
    const box = stage();
    const files = createFiles({ root: box.data, store: box.store, removals: box.removals });
    const token = newFileToken();
    await box.store.put(`files/${token}/a.png`, box.fileOf(10));
    expect(await files.find(token, "a.png")).toMatchObject({ size: bytes(10) });
    await server.stop();
    box.database.write(() => files.forget(token));
    expect(await files.find(token, "a.png")).toBeUndefined();
    await expect(box.removals.work()).rejects.toMatchObject({ code: "unavailable" });
    await server.start();
    expect(await files.find(token, "a.png")).toBeUndefined();
    expect(await box.names()).toHaveLength(1);
    box.clock.advance(2_000);
    expect(await box.removals.work()).toBe(1);
    expect(await box.names()).toEqual([]);
    expect(await files.find(token, "a.png")).toBeUndefined();
  }, 60_000);

  test("that an earlier version filled is rid of what is over too", async () => {
    const box = stage();
    for (const at of [1, 2, 3]) await box.s3.put(`files/old/${at}`, box.fileOf(10), NO_BOOK);
    await box.s3.put("uploads/kept/1", box.fileOf(10), NO_BOOK);
    box.database.write(() => box.removals.add("files/old"));
    expect(await box.removals.work()).toBe(1);
    expect(await box.names()).toEqual([`${box.prefix}uploads/kept/1`]);
    expect(box.books.below("uploads/kept")).toEqual(["uploads/kept/1"]);
  });

  test("takes nothing into what is to be removed", async () => {
    const box = stage();
    box.database.write(() => box.removals.add("uploads/a"));
    await expect(box.store.put("uploads/a/1", box.fileOf(10))).rejects.toMatchObject({ code: "not_found" });
    expect(await box.names()).toEqual([]);
  });

  test("loses nothing that is on its way when it is removed: it goes once it has arrived", async () => {
    const box = stage();
    const arriving = box.store.put("uploads/a/1", box.fileOf(4 * MIB));
    box.database.write(() => box.removals.add("uploads/a"));
    const [, worked] = await Promise.allSettled([arriving, box.removals.work()]);
    box.clock.advance(10 * MINUTES);
    if (worked.status === "fulfilled" && worked.value === 0) expect(await box.removals.work()).toBe(1);
    expect(await box.names()).toEqual([]);
    expect(box.removals.has("uploads/a")).toBe(false);
  });

  test("takes a large file in parts, whole, and nothing of it stays but the file", async () => {
    const box = stage();
    await box.store.put("uploads/a/1", box.fileOf(12 * MIB + 1));
    expect(await box.inParts()).toEqual([]);
    expect(box.books.inParts()).toEqual([]);
    const read = await new Response(await box.store.read("uploads/a/1")).bytes();
    expect(read.length).toBe(12 * MIB + 1);
    expect(read.every((byte) => byte === 7)).toBe(true);
  }, 60_000);

  test.each([
    ["before it heard the store's name for them", () => ""],
    ["after that", (id: string) => id],
  ])(
    "is rid of the parts of a file whose server was killed %s",
    async (_, known) => {
      const box = stage();
      await cutOff(box, known);
      expect(await box.inParts()).toEqual([`${box.prefix}uploads/a/1`]);
      const after = createStores({ data: box.data, s3: box.s3, database: box.database });
      expect(await after.removals.work()).toBe(0);
      expect(await box.inParts()).toEqual([]);
      expect(after.books.inParts()).toEqual([]);
      await after.store.put("uploads/a/1", box.fileOf(6 * MIB));
      expect(await box.names()).toEqual([`${box.prefix}uploads/a/1`]);
    },
    60_000,
  );

  test("is rid of earlier parts when the same file is sent anew", async () => {
    const box = stage();
    await cutOff(box, (id) => id);
    await box.store.put("uploads/a/1", box.fileOf(6 * MIB));
    expect(await box.inParts()).toEqual([]);
  }, 60_000);
});
