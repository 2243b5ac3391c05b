// Nothing that a user writes makes this box open a connection to itself or its neighbours: input URLs, redirects, webhooks,
// names that lead there, and names that change their mind. A canary listens on every address of this machine.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchMedia } from "../../../src/control/storage/fetch-media.ts";
import { type Resolver, systemResolver } from "../../../src/control/storage/pinned-address.ts";
import { createAddressGuard } from "../../../src/control/storage/public-address.ts";
import { createPost } from "../../../src/control/webhooks/post.ts";
import { webhookTarget } from "../../../src/control/webhooks/target.ts";
import { toFailure } from "../../../src/core/errors.ts";
import { bytes, milliseconds } from "../../../src/core/units.ts";
import { hostileUrls } from "../../support/hostile-urls.ts";
import { startNameServer } from "../../support/name-server.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-hostile-"));
/** Stands for the public internet: the one address of this machine that the guard lets through. */
const PUBLIC = "127.0.0.2";
const guard = createAddressGuard([PUBLIC]);

let canary: Server;
let canaryPort = 0;
let visits = 0;
let outside: ReturnType<typeof Bun.serve>;
/** Where the public server sends its visitors on. */
let onward: string | undefined;
let outsideVisits = 0;

beforeAll(async () => {
  canary = createServer((socket) => {
    visits++;
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
  });
  await new Promise<void>((ready) => canary.listen(0, ready));
  const address = canary.address();
  canaryPort = typeof address === "object" && address !== null ? address.port : 0;
  outside = Bun.serve({
    hostname: PUBLIC,
    port: 0,
    fetch: () => {
      outsideVisits++;
      return onward === undefined
        ? new Response("public")
        : new Response(null, { status: 302, headers: { location: onward } });
    },
  });
});
afterAll(async () => {
  canary.close();
  await outside.stop(true);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  visits = 0;
  outsideVisits = 0;
  onward = undefined;
});

const limits = { guard, maxBytes: bytes(1000), timeout: milliseconds(5_000) };
let count = 0;
const get = async (url: string, resolver: Resolver = systemResolver) => {
  const to = join(folder, String(count++));
  await fetchMedia({ url, to, signal: new AbortController().signal }, limits, resolver);
  return await Bun.file(to).text();
};
/** The reason, or "fetched". */
const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "fetched",
    (error) => toFailure(error).message,
  );
const REFUSED =
  /is not a public address|only http, https and data URLs|has no address|ENOTFOUND|getaddrinfo|Invalid URL/i;

test("the canary is alive, and the way to a public server is open", async () => {
  expect(await (await fetch(`http://127.0.0.1:${canaryPort}/`)).text()).toBe("secret");
  expect(visits).toBe(1);
  expect(await get(`http://${PUBLIC}:${outside.port}/`)).toBe("public");
});

describe("hostile URLs", () => {
  test("there are many of them", () => {
    expect(new Set(hostileUrls(1)).size).toBeGreaterThan(90);
  });

  test("as an input of a job: every one is refused before a connection is made", async () => {
    for (const url of hostileUrls(canaryPort)) {
      const outcome = await outcomeOf(get(url));
      expect(`${url} ${outcome}`).toMatch(REFUSED);
    }
    expect(visits).toBe(0);
  });

  test("as the target of a redirect from a public server", async () => {
    const urls = hostileUrls(canaryPort).filter((url) => !/[\n\t]|^ /.test(url) && /^https?:\/\//i.test(url));
    for (const url of urls) {
      onward = encodeURI(decodeURI(url.replaceAll("%2e", ".").replaceAll("%40", "@")));
      const outcome = await outcomeOf(get(`http://${PUBLIC}:${outside.port}/`));
      expect(`${url} ${outcome}`).toMatch(REFUSED);
    }
    expect(outsideVisits).toBe(urls.length);
    expect(visits).toBe(0);
  });

  test("as a webhook: refused when it is given, or at its first attempt", async () => {
    const post = createPost({ guard });
    for (const url of hostileUrls(canaryPort)) {
      const given = await outcomeOf((async () => webhookTarget(url, guard))());
      if (given !== "fetched") continue;
      const reply = await post(
        { url: webhookTarget(url, guard), headers: {}, body: "{}" },
        AbortSignal.timeout(60_000),
      );
      expect(`${url} ${reply.type}`).toMatch(/ (refused|failed)$/);
      expect(`${url} ${"reason" in reply ? reply.reason : ""}`).toMatch(REFUSED);
    }
    expect(visits).toBe(0);
  });

  test("nothing of it was written", () => {
    const texts = readdirSync(folder).map((name) => Bun.file(join(folder, name)).size);
    expect(texts.every((size) => size === 0 || size === "public".length)).toBe(true);
  });
});

describe("a hostile name server", () => {
  const url = (host: string, port = outside.port) => `http://${host}:${port}/`;

  test("a name that first leads outside and then here is asked once, and the first answer counts", async () => {
    await using names = await startNameServer((_, round) => [round === 0 ? PUBLIC : "127.0.0.1"]);
    expect(await get(url("rebind.example"), names.resolver)).toBe("public");
    expect(names.asked).toEqual(["rebind.example"]);
    // The second fetch asks again, gets the other answer, and is refused.
    expect(await outcomeOf(get(url("rebind.example", canaryPort), names.resolver))).toMatch(REFUSED);
    expect(visits).toBe(0);
  });

  test("the same within one fetch, by a redirect of the name to itself", async () => {
    await using names = await startNameServer((_, round) => [round === 0 ? PUBLIC : "127.0.0.1"]);
    onward = url("rebind.example", canaryPort);
    expect(await outcomeOf(get(url("rebind.example"), names.resolver))).toMatch(REFUSED);
    expect([outsideVisits, visits]).toEqual([1, 0]);
  });

  test("a name with a public and a private address is refused, in whatever order they come", async () => {
    for (const addresses of [
      [PUBLIC, "127.0.0.1"],
      ["127.0.0.1", PUBLIC],
      [PUBLIC, "::1"],
      [PUBLIC, "::ffff:7f00:1"],
    ]) {
      await using names = await startNameServer(() => addresses);
      expect(await outcomeOf(get(url("both.example", canaryPort), names.resolver))).toMatch(REFUSED);
    }
    expect(visits).toBe(0);
  });

  test("names of private, mapped, translated and metadata addresses are refused, for webhooks too", async () => {
    const inward = [
      "127.0.0.1",
      "10.0.0.1",
      "169.254.169.254",
      "0.0.0.0",
      "::1",
      "::ffff:7f00:1",
      "64:ff9b::7f00:1",
      "fd00:ec2::254",
      "2002:7f00:1::",
    ];
    for (const address of inward) {
      await using names = await startNameServer(() => [address]);
      expect(`${address} ${await outcomeOf(get(url("inward.example", canaryPort), names.resolver))}`).toMatch(REFUSED);
      const post = createPost({ guard, resolver: names.resolver });
      const parcel = { url: url("inward.example", canaryPort), headers: {}, body: "{}" };
      expect(await post(parcel, AbortSignal.timeout(60_000))).toMatchObject({ type: "refused" });
    }
    expect(visits).toBe(0);
  });

  test("a webhook to a name that changes its mind goes to the address that was judged", async () => {
    await using names = await startNameServer((_, round) => [round === 0 ? PUBLIC : "127.0.0.1"]);
    const post = createPost({ guard, resolver: names.resolver });
    const parcel = { url: url("rebind.example"), headers: {}, body: "{}" };
    expect(await post(parcel, AbortSignal.timeout(60_000))).toMatchObject({ type: "accepted" });
    expect([outsideVisits, visits]).toEqual([1, 0]);
    expect(names.asked).toEqual(["rebind.example"]);
  });
});
