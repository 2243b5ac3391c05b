// What holds for every store of files, shown on a disk and on a real S3 server.
import { beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileBody } from "../../../src/control/storage/file-store.ts";
import { createS3Store } from "../../../src/control/storage/s3-store.ts";
import { describeForEachStore, movingStore, type StoreUnderTest } from "../../support/file-stores.ts";
import { hasS3Server, startS3Server } from "../../support/s3-server.ts";

const text = async (body: Promise<FileBody>) => await new Response(await body).text();
const MIB = 1024 * 1024;

describeForEachStore("a store", (next) => {
  let at: StoreUnderTest;
  const put = async (name: string, content: string | Uint8Array) => {
    const path = join(at.data, "arriving");
    writeFileSync(path, content);
    await at.store.put(name, path);
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
    await at.store.remove("files/none");
  });

  test("takes the place of an older copy when it gives one", async () => {
    await put("uploads/a/one", "content");
    writeFileSync(join(at.data, "copy"), "from an earlier attempt");
    await at.store.take("uploads/a/one", join(at.data, "copy"));
    expect(readFileSync(join(at.data, "copy"), "utf8")).toBe("content");
  });

  test("removes a file or a folder, and nothing else", async () => {
    for (const name of ["uploads/a/1", "uploads/a/2", "uploads/b/1"]) await put(name, name);
    await at.store.remove("uploads/a/1");
    expect((await at.names()).filter((name) => name !== "arriving")).toEqual(["uploads/a/2", "uploads/b/1"]);
    await at.store.remove("uploads/a");
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
    await at.store.remove("files/token");
    expect(await at.names()).toEqual([]);
  });
});

describe.skipIf(!hasS3Server)("a bucket", () => {
  test("that cannot be reached is told as such, and what was written waits on the disk", async () => {
    await using server = await startS3Server();
    const under = describeOne(server);
    await server.stop();
    writeFileSync(join(under.data, "files/t/a.png"), "picture");
    const down = { code: "unavailable", message: expect.stringMatching(/s3:\/\/forecourt-test.*ConnectionRefused/) };
    await expect(under.store.put("uploads/a/1", join(under.data, "files/t/a.png"))).rejects.toMatchObject(down);
    await expect(under.store.find("files/t/b.png")).rejects.toMatchObject(down);
    await expect(under.store.remove("files/t")).rejects.toMatchObject(down);
    await expect(under.store.move()).rejects.toMatchObject(down);
    expect(await text(under.store.read("files/t/a.png"))).toBe("picture");
    await server.start();
    expect(await under.store.move()).toBe(1);
    expect(await server.names()).toEqual(["files/t/a.png"]);
  }, 60_000);

  test("is not given what a job still writes", async () => {
    await using server = await startS3Server();
    const open = new Set(["t"]);
    const under = describeOne(server, () => open);
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

  test("that never answers is given up", async () => {
    using silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const endpoint = `http://127.0.0.1:${silent.port}`;
    await using server = await startS3Server();
    await expect(createS3Store({ ...server, endpoint }).check()).rejects.toMatchObject({ code: "unavailable" });
  }, 60_000);
});

function describeOne(server: Parameters<typeof createS3Store>[0], openTokens?: () => Set<string>) {
  const data = join(process.env.TMPDIR ?? "/tmp", `forecourt-bucket-${crypto.randomUUID()}`);
  mkdirSync(join(data, "files/t"), { recursive: true });
  return { data, store: movingStore(data, createS3Store(server), openTokens) };
}
