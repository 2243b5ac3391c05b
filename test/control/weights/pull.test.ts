// Pulling weights from a double of the Hub: what is on disk afterwards, what was asked for, what goes wrong and how.
import { describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Milliseconds, milliseconds } from "../../../src/core/units.ts";
import { COMMIT, createFakeHub, type Fault, type FileRequest, gitSha1, noise, sha256 } from "../../support/fake-hub.ts";
import { failureOf, namesBelow, PIECE, pullFrom, type Recorded, scratch } from "./setting.ts";

const graph = noise(10 * PIECE + 123, 1);
const sidecar = noise(3 * PIECE, 2);
const config = noise(700, 3);
const files = {
  "config.json": config,
  "onnx/model.onnx": graph,
  "onnx/model.onnx_data": sidecar,
  "model.safetensors": noise(99),
};
const repos = { "owner/name": { files } };
const source = { repo: "owner/name", include: ["config.json", "onnx/*.onnx"] };

const read = (...path: string[]): Uint8Array => new Uint8Array(readFileSync(join(...path)));
const recorder = (): Recorded => ({ events: [], waits: [] });
const noticesOf = ({ events }: Recorded) => events.flatMap((event) => (event.type === "notice" ? [event.message] : []));

/** Faults for the graph's requests, in their order of arrival. */
const inTurn =
  (...faults: (Fault | undefined)[]) =>
  (request: FileRequest) =>
    request.path === "onnx/model.onnx" ? faults[request.earlier] : undefined;

describe("a pull that goes well", () => {
  test("lays the chosen files out as the Hub cache does, with relative links", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const { folder, commit } = await pullFrom(hub, { source, data: data.path });
    expect(commit).toBe(COMMIT);
    expect(folder).toBe(join(data.path, "weights/models--owner--name/snapshots", COMMIT));
    expect(namesBelow(folder)).toEqual(["config.json", "onnx", "onnx/model.onnx", "onnx/model.onnx_data"]);
    expect(readlinkSync(join(folder, "onnx/model.onnx"))).toBe(`../../../blobs/${sha256(graph)}`);
    expect(readlinkSync(join(folder, "config.json"))).toBe(`../../blobs/${gitSha1(config)}`);
    expect(read(folder, "onnx/model.onnx")).toEqual(graph);
    expect(read(folder, "onnx/model.onnx_data")).toEqual(sidecar);
    expect(read(folder, "config.json")).toEqual(config);
    expect(readFileSync(join(folder, "../../refs/main"), "utf8")).toBe(COMMIT);
    expect(namesBelow(join(folder, "../../blobs"))).toEqual([sha256(graph), sha256(sidecar), gitSha1(config)].sort());
  });

  test("fetches each byte once, large files in ranges", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    await pullFrom(hub, { source, data: data.path });
    expect(hub.served()).toBe(graph.byteLength + sidecar.byteLength + config.byteLength);
    expect(hub.files.filter(({ path }) => path === "onnx/model.onnx").length).toBe(11);
  });

  test("tells the plan first and each file's way to done", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const record = recorder();
    await pullFrom(hub, { source, data: data.path }, record);
    const total = graph.byteLength + sidecar.byteLength + config.byteLength;
    expect(record.events[0]).toMatchObject({ type: "planned", title: "owner/name", commits: [COMMIT], bytes: total });
    const ofGraph = record.events.filter((event) => event.type === "file" && event.path === "onnx/model.onnx");
    expect(ofGraph.at(0)).toMatchObject({ state: "downloading" });
    expect(ofGraph.at(-1)).toMatchObject({ state: "done", at: graph.byteLength, of: graph.byteLength });
  });

  test("the second time, a pinned commit needs no request at all", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const pinned = { ...source, revision: COMMIT };
    const first = await pullFrom(hub, { source: pinned, data: data.path });
    const before = hub.requests.length;
    expect(await pullFrom(hub, { source: pinned, data: data.path })).toEqual(first);
    expect(hub.requests.length).toBe(before);
  });

  test("another choice of the same commit fetches only what is new", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    await pullFrom(hub, { source, data: data.path });
    const before = hub.served();
    await pullFrom(hub, { source: { repo: "owner/name", exclude: ["*.json"] }, data: data.path });
    expect(hub.served() - before).toBe(99);
  });

  test("pinned files are fetched without asking for a listing, and checked by their sha256", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const pinned = [{ path: "config.json", bytes: config.byteLength, sha256: sha256(config) }];
    const { folder } = await pullFrom(hub, {
      source: { repo: "owner/name", revision: COMMIT, files: pinned },
      data: data.path,
    });
    expect(read(folder, "config.json")).toEqual(config);
    expect(hub.requests.some(({ path }) => path.startsWith("/api/"))).toBe(false);
  });

  test("a folder of this machine is used where it is", async () => {
    using data = scratch();
    expect(
      await pullFrom({ endpoint: "http://127.0.0.1:1" }, { source: { path: data.path }, data: "/nowhere" }),
    ).toEqual({ folder: data.path });
    const failure = await failureOf(
      pullFrom({ endpoint: "http://127.0.0.1:1" }, { source: { path: join(data.path, "no") }, data: "/nowhere" }),
    );
    expect(failure.details).toEqual({ reason: "folder_not_found" });
  });

  test("plain URLs become a folder of checked files, and need no server the second time", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const url = `${hub.cdn}/signed?repo=owner/name&path=onnx/model.onnx`;
    const source = { urls: [{ url, path: "graphs/style.onnx", sha256: sha256(graph) }] };
    const { folder } = await pullFrom(hub, { source, data: data.path });
    expect(read(folder, "graphs/style.onnx")).toEqual(graph);
    await hub[Symbol.asyncDispose]();
    expect((await pullFrom(hub, { source, data: data.path })).folder).toBe(folder);
  });
});

describe("the token", () => {
  test("goes to the Hub and not to the origin that it redirects to", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos: { "owner/name": { files, private: true } }, token: "hf_secret" });
    await pullFrom(hub, { source, data: data.path, access: { token: "hf_secret" } });
    const sentTo = (origin: "hub" | "cdn") =>
      new Set(hub.requests.filter((each) => each.origin === origin).map(({ authorization }) => authorization));
    expect(sentTo("hub")).toEqual(new Set(["Bearer hf_secret"]));
    expect(sentTo("cdn")).toEqual(new Set([null]));
  });

  test("a gated repository is told plainly, and nothing is left in place", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos: { "owner/name": { files, gated: true } } });
    const failure = await failureOf(pullFrom(hub, { source, data: data.path }));
    expect(failure.code).toBe("weights_missing");
    expect(failure.message).toContain("gated");
    expect(namesBelow(join(data.path, "weights/models--owner--name/snapshots"))).toEqual([]);
  });
});

describe("a bad connection", () => {
  /** `again`: bytes that may have been under way when it broke, and were lost. */
  const cases: {
    what: string;
    fault: (request: FileRequest) => Fault | undefined;
    again: number;
    stall?: Milliseconds;
  }[] = [
    {
      what: "is cut in the middle",
      fault: inTurn({ type: "cut", after: 5000 }, undefined, { type: "cut", after: 1 }),
      again: 5001,
    },
    // Long enough that the others, which must lose nothing, do not seem silent on a loaded machine.
    { what: "falls silent", fault: inTurn({ type: "hang", after: 7000 }), again: 0, stall: milliseconds(1500.5) },
    { what: "ends early without telling a length", fault: inTurn({ type: "truncate", after: 100 }), again: 0 },
    {
      what: "answers 500 now and then",
      fault: inTurn({ type: "status", status: 500 }, { type: "status", status: 502 }),
      again: 0,
    },
    { what: "refuses a signed link", fault: inTurn(undefined, { type: "status", status: 403 }), again: 0 },
    {
      what: "lets a signed link expire",
      fault: ({ earlier }) => (earlier === 9 ? { type: "status", status: 403 } : undefined),
      again: 0,
    },
  ];
  for (const { what, fault, again, stall } of cases)
    test(`that ${what} costs nothing of what has arrived`, async () => {
      using data = scratch();
      await using hub = createFakeHub({ repos, fault });
      const { folder } = await pullFrom(hub, { source, data: data.path, tuning: { ...(stall && { stall }) } });
      expect(read(folder, "onnx/model.onnx")).toEqual(graph);
      expect(hub.files.length).toBeGreaterThan(15);
      expect(hub.served()).toBeLessThanOrEqual(graph.byteLength + sidecar.byteLength + config.byteLength + again);
    });

  test("a rate limit in the middle is waited out", async () => {
    using data = scratch();
    await using hub = createFakeHub({
      repos,
      fault: inTurn({ type: "status", status: 429, headers: { ratelimit: '"resolvers";r=0;t=31' } }),
    });
    const record = recorder();
    await pullFrom(hub, { source, data: data.path }, record);
    expect(record.waits).toContain(31_000);
    expect(noticesOf(record).join()).toContain("Trying again in 31 s");
  });

  test("a server that knows no ranges is read in one go", async () => {
    using data = scratch();
    await using hub = createFakeHub({
      repos,
      fault: ({ path }) => (path.endsWith(".onnx") ? { type: "ignore range" } : undefined),
    });
    const { folder } = await pullFrom(hub, { source, data: data.path });
    expect(read(folder, "onnx/model.onnx")).toEqual(graph);
    expect(hub.files.filter(({ path, isRange }) => path === "onnx/model.onnx" && !isRange).length).toBe(1);
  });

  test("an unreachable Hub is an error that says so", async () => {
    using data = scratch();
    const failure = await failureOf(pullFrom({ endpoint: "http://127.0.0.1:1" }, { source, data: data.path }));
    expect(failure.code).toBe("unavailable");
    expect(failure.message).toContain("127.0.0.1:1 cannot be reached");
  });

  test("an abort ends it with the reason that was given", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos, fault: inTurn({ type: "hang", after: 10 }) });
    const stop = new AbortController();
    const pulling = pullFrom(hub, { source, data: data.path, signal: stop.signal });
    while (hub.files.length === 0) await Bun.sleep(5);
    stop.abort(new Error("the operator said so"));
    await expect(pulling).rejects.toThrow("the operator said so");
  });
});

describe("wrong content", () => {
  test("that a second attempt does not meet is fetched again", async () => {
    using data = scratch();
    const corruptOnce = ({ path, from, to, earlier }: FileRequest): Fault | undefined =>
      path === "onnx/model.onnx" && earlier < 11 && from <= 20_000 && to > 20_000
        ? { type: "corrupt", at: 20_000 }
        : undefined;
    await using hub = createFakeHub({ repos, fault: corruptOnce });
    const record = recorder();
    const { folder } = await pullFrom(hub, { source, data: data.path }, record);
    expect(read(folder, "onnx/model.onnx")).toEqual(graph);
    expect(noticesOf(record).join()).toContain("wrong content");
  });

  for (const path of ["onnx/model.onnx", "config.json"])
    test(`that stays is never put in place (${path})`, async () => {
      using data = scratch();
      await using hub = createFakeHub({
        repos,
        fault: (request) => (request.path === path ? { type: "corrupt", at: 3 } : undefined),
      });
      const failure = await failureOf(pullFrom(hub, { source, data: data.path }));
      expect(failure.details?.reason).toBe("wrong_content");
      const left = namesBelow(join(data.path, "weights/models--owner--name"));
      expect(left.filter((name) => name.includes(path === "config.json" ? gitSha1(config) : sha256(graph)))).toEqual(
        [],
      );
    });

  test("of another length is refused at the first answer", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const pinned = [{ path: "onnx/model.onnx", bytes: graph.byteLength - 1, sha256: sha256(graph) }];
    const failure = await failureOf(
      pullFrom(hub, { source: { repo: "owner/name", revision: COMMIT, files: pinned }, data: data.path }),
    );
    expect(failure.details?.reason).toBe("wrong_size");
  });

  test("on the disk costs only the piece that it is in", async () => {
    using data = scratch();
    const isLast = ({ path, to }: FileRequest) => path === "onnx/model.onnx" && to === graph.byteLength;
    let isBroken = true;
    await using hub = createFakeHub({
      repos,
      fault: (request) => (isLast(request) && isBroken ? { type: "status", status: 404 } : undefined),
    });
    await failureOf(pullFrom(hub, { source, data: data.path }));
    isBroken = false;
    const part = join(data.path, "weights/models--owner--name/blobs", `${sha256(graph)}.part`);
    const damaged = read(part);
    damaged[5] = (damaged[5] ?? 0) ^ 255;
    writeFileSync(part, damaged);
    const before = hub.files.length;
    const record = recorder();
    const { folder } = await pullFrom(hub, { source, data: data.path }, record);
    expect(read(folder, "onnx/model.onnx")).toEqual(graph);
    expect(noticesOf(record).join()).toContain(`; ${PIECE} of ${graph.byteLength} bytes are fetched again`);
    const again = hub.files.slice(before).filter(({ path, from }) => path === "onnx/model.onnx" && from === 0);
    expect(again.length).toBe(1);
  });
});

test("a disk without room is told before the first byte is fetched", async () => {
  using data = scratch();
  await using hub = createFakeHub({ repos });
  const failure = await failureOf(pullFrom(hub, { source, data: data.path, tuning: { reserveBytes: 2 ** 60 } }));
  expect(failure.details?.reason).toBe("disk_full");
  expect(hub.files).toEqual([]);
});

describe("without a network", () => {
  test("a branch is what it was when it was last seen", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const { folder } = await pullFrom(hub, { source, data: data.path });
    await hub[Symbol.asyncDispose]();
    const record = recorder();
    expect((await pullFrom(hub, { source, data: data.path }, record)).folder).toBe(folder);
    expect(noticesOf(record).at(-1)).toContain("as this box last saw it");
    expect(record.waits.length).toBe(1);
  });

  test("switched off, what is here is found and what is not is told, without a request", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const { folder } = await pullFrom(hub, { source, data: data.path });
    const before = hub.requests.length;
    const access = { isOffline: true };
    expect((await pullFrom(hub, { source, data: data.path, access })).folder).toBe(folder);
    const failure = await failureOf(pullFrom(hub, { source: { repo: "owner/other" }, data: data.path, access }));
    expect(failure.details?.reason).toBe("offline");
    expect(hub.requests.length).toBe(before);
  });
});

describe("a Hugging Face cache", () => {
  /** As `hf download` leaves it. */
  function hfCache(root: string, present: Record<string, Uint8Array>): string {
    const folder = join(root, "hub/models--owner--name");
    for (const [path, content] of Object.entries(present)) {
      const blob = join(folder, "blobs", path.endsWith(".json") ? gitSha1(content) : sha256(content));
      const link = join(folder, "snapshots", COMMIT, path);
      for (const each of [blob, link]) mkdirSync(dirname(each), { recursive: true });
      writeFileSync(blob, content);
      symlinkSync(relative(dirname(link), blob), link);
    }
    return join(root, "hub");
  }
  const wanted = { "config.json": config, "onnx/model.onnx": graph, "onnx/model.onnx_data": sidecar };

  test("that is complete is used where it is", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const cache = hfCache(data.path, wanted);
    const { folder } = await pullFrom(hub, { source, data: data.path, access: { caches: [cache] } });
    expect(folder).toBe(join(cache, "models--owner--name/snapshots", COMMIT));
    expect(hub.files).toEqual([]);
  });

  test("that is incomplete lends what it has", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const cache = hfCache(data.path, { "onnx/model.onnx": graph });
    const { folder } = await pullFrom(hub, { source, data: data.path, access: { caches: [cache] } });
    expect(read(folder, "onnx/model.onnx")).toEqual(graph);
    expect(lstatSync(join(folder, "../../blobs", sha256(graph))).nlink).toBe(2);
    expect(hub.files.map(({ path }) => path)).not.toContain("onnx/model.onnx");
  });

  test("with wrong content of the right size is named and not used", async () => {
    using data = scratch();
    await using hub = createFakeHub({ repos });
    const cache = hfCache(data.path, { ...wanted, "onnx/model.onnx": noise(graph.byteLength, 77) });
    const record = recorder();
    const { folder } = await pullFrom(hub, { source, data: data.path, access: { caches: [cache] } }, record);
    expect(folder).toStartWith(join(data.path, "weights"));
    expect(read(folder, "onnx/model.onnx")).toEqual(graph);
    expect(noticesOf(record).join()).toContain("does not have the content");
  });
});
