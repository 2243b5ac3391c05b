// The Hub client against a double of the Hub: listings, addresses, refusals.
import { describe, expect, test } from "bun:test";
import { createHub } from "../../../src/control/weights/hub.ts";
import { createWeb } from "../../../src/control/weights/transfer/web.ts";
import { COMMIT, createFakeHub, type FakeHubOptions, gitSha1, noise, sha256 } from "../../support/fake-hub.ts";
import { failureOf, hastyTimers } from "./setting.ts";

const signal = new AbortController().signal;
const graph = noise(900, 1);
const config = noise(50, 2);
const files = {
  "config.json": config,
  "onnx/model.onnx": graph,
  "onnx/model.onnx_data": noise(20, 3),
  "a b#c?.txt": noise(5),
};

function clientOf(options: Partial<FakeHubOptions> = {}, token?: string) {
  const fake = createFakeHub({ repos: { "owner/name": { files } }, ...options });
  const { timers, waits } = hastyTimers();
  const web = createWeb(token ? { credentials: { origin: fake.endpoint, token } } : {});
  const hub = createHub({ endpoint: fake.endpoint, hasToken: token !== undefined, web, timers });
  return { fake, hub, waits, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

describe("listings", () => {
  test("a branch is resolved to its commit and licence", async () => {
    await using client = clientOf();
    expect(await client.hub.revision("owner/name", "main", signal)).toEqual({
      commit: COMMIT,
      gated: false,
      private: false,
      licence: "mit",
      tags: ["onnx"],
    });
  });

  test("a revision with a slash is asked for in one path segment", async () => {
    await using client = clientOf();
    await client.hub.revision("owner/name", "refs/pr/1", signal);
    expect(client.fake.requests[0]?.path).toBe("/api/models/owner/name/revision/refs%2Fpr%2F1");
  });

  test("a listing of several pages is read to its end, with the content's hash for large and small files", async () => {
    await using client = clientOf({ pageSize: 2 });
    const listed = await client.hub.files("owner/name", COMMIT, signal);
    expect(listed.map(({ path }) => path)).toEqual(Object.keys(files));
    expect(listed[0]).toEqual({
      path: "config.json",
      bytes: 50,
      digest: { algorithm: "git-sha1", hex: gitSha1(config) },
    });
    expect(listed[1]).toEqual({
      path: "onnx/model.onnx",
      bytes: 900,
      digest: { algorithm: "sha256", hex: sha256(graph) },
    });
    expect(client.fake.requests.length).toBe(3);
  });

  test("a mirror that passes the Hub's own next link on is asked for the next page itself", async () => {
    let pages = 0;
    await using client = clientOf({
      api: () =>
        Response.json(
          [],
          pages++ === 0
            ? { headers: { link: '<https://huggingface.co/api/models/x/tree/y?cursor=2>; rel="next"' } }
            : {},
        ),
    });
    await client.hub.files("owner/name", COMMIT, signal);
    expect(client.fake.requests[1]?.path).toBe("/api/models/x/tree/y?cursor=2");
  });

  test("a listing with a path that leaves the folder is refused as a whole", async () => {
    for (const path of ["../../etc/passwd", "/etc/passwd", "onnx/../../x", "a//b", ".", "a\u0000b"]) {
      const entry = { type: "file", path, size: 4, oid: "0".repeat(40) };
      await using client = clientOf({ api: () => Response.json([entry]) });
      const failure = await failureOf(client.hub.files("owner/name", COMMIT, signal));
      expect(failure.details).toEqual({ reason: "unsafe_path" });
    }
  });

  test("an answer that is no listing is told as such and not asked for again", async () => {
    await using client = clientOf({ api: () => new Response("<html>hotel wifi: please log in</html>") });
    const failure = await failureOf(client.hub.files("owner/name", COMMIT, signal));
    expect(failure.details).toEqual({ reason: "strange_answer" });
    expect(client.fake.requests.length).toBe(1);
  });
});

test("a file's address encodes each segment and pins the commit", async () => {
  await using client = clientOf();
  const address = client.hub.url("owner/name", COMMIT, "dir/a b#c?.txt");
  expect(address).toBe(`${client.fake.endpoint}/owner/name/resolve/${COMMIT}/dir/a%20b%23c%3F.txt`);
  expect(() => client.hub.url("owner/../name", COMMIT, "x")).toThrow("not a Hub repository");
});

describe("refusals", () => {
  const gatedRepo = { "owner/name": { files, gated: true } };
  const explained = async (client: ReturnType<typeof clientOf>, path = "config.json") => {
    const response = await fetch(client.hub.url("owner/name", COMMIT, path), { redirect: "manual" });
    return client.hub.explain({ repo: "owner/name", revision: COMMIT, path })(response);
  };

  test("a gated repository without a token names the page and the token", async () => {
    await using client = clientOf({ repos: gatedRepo });
    const failure = await explained(client);
    expect(failure.details).toEqual({ reason: "gated" });
    expect(failure.message).toContain(`Open ${client.fake.endpoint}/owner/name, accept the terms`);
    expect(failure.message).toContain("HF_TOKEN");
  });

  test("a gated repository with a token says that the account lacks access", async () => {
    await using client = clientOf({ repos: gatedRepo, token: "hf_good" }, "hf_good");
    expect((await explained(client)).message).toContain("account has no access to it yet");
  });

  test("an unknown or private repository", async () => {
    await using client = clientOf();
    const failure = await failureOf(client.hub.revision("owner/other", "main", signal));
    expect(failure.details).toEqual({ reason: "repository_not_found" });
    expect(failure.message).toContain("or it is private and needs a token");
  });

  test("an unknown revision", async () => {
    await using client = clientOf();
    const failure = await failureOf(client.hub.revision("owner/name", "v9", signal));
    expect(failure.message).toBe("owner/name has no revision v9.");
  });

  test("an unknown file", async () => {
    await using client = clientOf();
    expect((await explained(client, "nope.bin")).details).toEqual({ reason: "file_not_found" });
  });

  test("a token that is wrong is a matter of configuration", async () => {
    await using client = clientOf({ token: "hf_good" }, "hf_bad");
    const failure = await failureOf(client.hub.revision("owner/name", "main", signal));
    expect(failure.code).toBe("misconfigured");
    expect(failure.message).toContain("does not accept the token");
    expect(failure.message).not.toContain("hf_bad");
  });

  test("a rate limit is waited out for as long as the Hub says, in either of its words", async () => {
    const limits = [{ ratelimit: '"api";r=0;t=42' }, { "retry-after": "7" }];
    await using client = clientOf({
      api: () => {
        const headers = limits.shift();
        return headers && new Response("slow down", { status: 429, headers });
      },
    });
    expect((await client.hub.revision("owner/name", "main", signal)).commit).toBe(COMMIT);
    expect(client.waits).toEqual([42_000, 7_000]);
  });

  test("a Hub that stays down is given up after one to two minutes of growing waits", async () => {
    await using client = clientOf({ api: () => new Response("down", { status: 503 }) });
    const failure = await failureOf(client.hub.revision("owner/name", "main", signal));
    expect(failure.code).toBe("unavailable");
    const steps = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    expect(client.waits.length).toBe(steps.length);
    for (const [index, step] of steps.entries()) {
      expect(client.waits[index]).toBeGreaterThanOrEqual(step / 2);
      expect(client.waits[index]).toBeLessThanOrEqual(step);
    }
  });

  test("a wait that is longer than the Hub's windows is not waited", async () => {
    await using client = clientOf({
      api: () => new Response("", { status: 429, headers: { "retry-after": "86400" } }),
    });
    const failure = await failureOf(client.hub.revision("owner/name", "main", signal));
    expect(failure.details?.reason).toBe("rate_limited");
    expect(client.waits).toEqual([]);
  });
});
