// What holds for every store of files, shown on a disk and on a real S3 server.
import { beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDiskStore } from "../../../src/control/storage/disk-store.ts";
import type { FileBody, FileStore } from "../../../src/control/storage/file-store.ts";
import type { S3Options } from "../../../src/control/storage/s3-request.ts";
import { createS3Store } from "../../../src/control/storage/s3-store.ts";
import { createStores, describeForEachStore, movingStore, type StoreUnderTest } from "../../support/file-stores.ts";
import { hasS3Server, startS3Server } from "../../support/s3-server.ts";
import { testFolder } from "../../support/test-folder.ts";
import { until } from "../../support/until.ts";

const text = async (body: Promise<FileBody>) => await new Response(await body).text();
const MIB = 1024 * 1024;
const NO_PARTS = { begins: async () => {}, begun() {}, over() {} };

describeForEachStore("a store", (next) => {
  let at: StoreUnderTest;
  const put = async (name: string, content: string | Uint8Array) => {
    const path = join(at.data, "arriving");
    writeFileSync(path, content);
    await at.store.put(name, path);
  };
  const remove = async (name: string) => {
    at.database.write(() => at.removals.add(name));
    expect(await at.removals.work()).toBe(1);
  };
  beforeEach(() => {
    at = next();
  });

  test("gives back what it took, whole and in parts", async () => {
    await put("uploads/a/one", "0123456789");
    expect(await at.store.find("uploads/a/one")).toMatchObject({ size: 10 });
    expect(await text(at.store.read("uploads/a/one"))).toBe("0123456789");
    expect(await text(at.store.read("uploads/a/one", { start: 2, end: 5 }))).toBe("234");
    expect(await text(at.store.read("uploads/a/one", { start: 9, end: 10 }))).toBe("9");
  });

  test("keeps an empty file, and one of 40 MiB byte for byte", async () => {
    await put("uploads/a/empty", "");
    expect(await at.store.find("uploads/a/empty")).toMatchObject({ size: 0 });
    expect(await text(at.store.read("uploads/a/empty"))).toBe("");
    const large = new Uint8Array(40 * MIB);
    for (let i = 0; i < large.length; i += 4096) large[i] = i / 4096;
    await put("uploads/a/large", large);
    const hash = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    expect(hash(await new Response(await at.store.read("uploads/a/large")).bytes())).toBe(hash(large));
    await at.store.take("uploads/a/large", join(at.data, "taken"));
    expect(hash(readFileSync(join(at.data, "taken")))).toBe(hash(large));
  }, 60_000);

  test("says of what it does not have that it is not there", async () => {
    expect(await at.store.find("files/none/a.png")).toBeUndefined();
    await expect(at.store.read("files/none/a.png")).rejects.toMatchObject({ code: "not_found" });
    await expect(at.store.take("files/none/a.png", join(at.data, "x"))).rejects.toMatchObject({ code: "not_found" });
    await remove("files/none");
  });

  test("takes the place of an older copy when it gives one", async () => {
    await put("uploads/a/one", "content");
    writeFileSync(join(at.data, "copy"), "from an earlier attempt");
    await at.store.take("uploads/a/one", join(at.data, "copy"));
    expect(readFileSync(join(at.data, "copy"), "utf8")).toBe("content");
  });

  test("removes a file or a folder, and nothing else", async () => {
    for (const name of ["uploads/a/1", "uploads/a/2", "uploads/b/1"]) await put(name, name);
    await remove("uploads/a/1");
    expect((await at.names()).filter((name) => name !== "arriving")).toEqual(["uploads/a/2", "uploads/b/1"]);
    await remove("uploads/a");
    expect((await at.names()).filter((name) => name !== "arriving")).toEqual(["uploads/b/1"]);
  });

  test("has what a runner wrote beside it, before and after it is where it belongs", async () => {
    mkdirSync(join(at.data, "files/token/.input"), { recursive: true });
    writeFileSync(join(at.data, "files/token/image.png"), "picture");
    writeFileSync(join(at.data, "files/token/.input/0"), "input");
    for (const _ of ["before", "after"]) {
      expect(await at.store.find("files/token/image.png")).toMatchObject({ size: 7 });
      expect(await text(at.store.read("files/token/image.png", { start: 0, end: 4 }))).toBe("pict");
      await at.settle();
    }
    expect(await at.names()).toEqual(["files/token/.input/0", "files/token/image.png"]);
    await remove("files/token");
    expect(await at.names()).toEqual([]);
  });
});

describe("files that wait for a store", () => {
  const folder = testFolder("moving");
  /** A disk in the place of a store; `put` may refuse. */
  const waiting = (put: (name: string) => void) => {
    const [data, far] = [
      join(folder, crypto.randomUUID()),
      createDiskStore({ root: join(folder, crypto.randomUUID()) }),
    ];
    for (const token of ["a", "b", "c", "d", "e"]) {
      mkdirSync(join(data, "files", token), { recursive: true });
      writeFileSync(join(data, "files", token, "1.png"), token);
    }
    const names: string[] = [];
    const store = movingStore(data, {
      ...far,
      async put(name) {
        put(name);
        names.push(name);
      },
    });
    return { store, names };
  };
  const refuse = () => {
    throw new Error("it answered 413 EntityTooLarge");
  };

  test("are all moved but the one that it refuses, which is told and tried again", async () => {
    const { store, names } = waiting((name) => name.includes("/b/") && refuse());
    await expect(store.move()).rejects.toThrow("413");
    expect(names.toSorted()).toEqual(["a", "c", "d", "e"].map((token) => `files/${token}/1.png`));
    await expect(store.move()).rejects.toThrow("413");
    expect(names).toHaveLength(4);
  });

  test("are not tried one after the other while it takes none", async () => {
    let tries = 0;
    const { store } = waiting(() => {
      tries++;
      refuse();
    });
    await expect(store.move()).rejects.toThrow("413");
    expect(tries).toBe(3);
  });

  test("are left when the server stops between two of them", async () => {
    const { store, names } = waiting(() => void store.stop());
    expect(await store.move()).toBe(1);
    expect(names).toHaveLength(1);
  });
});

describe.skipIf(!hasS3Server)("a bucket", () => {
  const folder = testFolder("bucket");
  const storeBefore = (server: S3Options, openTokens?: () => Set<string>) => {
    const data = join(folder, crypto.randomUUID());
    mkdirSync(join(data, "files/t"), { recursive: true });
    const { bucket } = createStores({ data, s3: createS3Store(server) });
    return { data, store: movingStore(data, bucket as FileStore, openTokens) };
  };

  test("that cannot be reached is told as such, and what was written waits on the disk", async () => {
    await using server = await startS3Server();
    const under = storeBefore(server);
    await server.stop();
    writeFileSync(join(under.data, "files/t/a.png"), "picture");
    const down = {
      code: "unavailable",
      message: expect.stringMatching(/s3:\/\/forecourt-test.*\((ECONN|Connection)REFUSED: /i),
    };
    await expect(under.store.put("uploads/a/1", join(under.data, "files/t/a.png"))).rejects.toMatchObject(down);
    await expect(under.store.find("files/t/b.png")).rejects.toMatchObject(down);
    await expect(under.store.move()).rejects.toMatchObject(down);
    expect(await text(under.store.read("files/t/a.png"))).toBe("picture");
    await server.start();
    expect(await under.store.move()).toBe(1);
    expect(await server.names()).toEqual(["files/t/a.png"]);
  }, 60_000);

  test("is not given what a job still writes", async () => {
    await using server = await startS3Server();
    const open = new Set(["t"]);
    const under = storeBefore(server, () => open);
    writeFileSync(join(under.data, "files/t/a.png"), "half");
    expect(await under.store.move()).toBe(0);
    open.clear();
    expect(await under.store.move()).toBe(1);
  }, 60_000);

  test.each([
    ["another secret", { secretAccessKey: "wrong" }, /SignatureDoesNotMatch/],
    ["an unknown key", { accessKeyId: "nobody" }, /access key ID/],
    ["no such bucket", { bucket: "none-like-this" }, /NoSuchBucket/],
  ])(
    "with %s is refused with the store's reason",
    async (_, change, reason) => {
      await using server = await startS3Server();
      const store = createS3Store({ ...server, ...change });
      await expect(store.check()).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(reason),
      });
      await createS3Store(server).check();
    },
    60_000,
  );

  test("that never answers is given up, and what was asked holds no connection: all the process may open would be gone", async () => {
    let open = 0;
    const socket = { data() {}, open: () => void open++, close: () => void open-- };
    using silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
    const options = { bucket: "b", region: "us-east-1", accessKeyId: "id", secretAccessKey: "secret" };
    const more = { sessionToken: "", prefix: "", virtualHosted: false };
    const store = createS3Store({ ...options, ...more, endpoint: `http://127.0.0.1:${silent.port}` });
    const path = join(folder, "a.png");
    writeFileSync(path, "picture");
    const ways: (() => Promise<unknown>)[] = [
      ...[store.check, () => store.put("a", path, NO_PARTS), () => store.find("a"), () => store.read("a")],
      ...[() => store.remove(["a"]), () => store.list("a"), () => store.giveUp("a", "")],
    ];
    const answers = await Promise.allSettled(ways.flatMap((way) => Array.from({ length: 20 }, () => way())));
    const reasons = answers.map((each) => (each.status === "rejected" ? String(each.reason) : "answered"));
    expect(reasons.filter((reason) => !reason.includes("cannot be used now (no answer within 10 s)"))).toEqual([]);
    await until(() => open === 0);
  }, 60_000);
});
