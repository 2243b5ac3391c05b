// Redirects, proxies and what is never followed.
import { describe, expect, test } from "bun:test";
import { createWeb } from "../../../../src/control/weights/transfer/web.ts";
import { failureOf } from "../setting.ts";

const signal = new AbortController().signal;

/** Answers by path; notes what was asked with which authorization. */
function server(answers: (path: string) => Response) {
  const seen: { path: string; authorization: string | null }[] = [];
  const running = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const path = new URL(request.url).pathname;
      seen.push({
        path: request.url.includes("http://model.test") ? request.url : path,
        authorization: request.headers.get("authorization"),
      });
      return answers(path);
    },
  });
  return { origin: `http://127.0.0.1:${running.port}`, seen, [Symbol.asyncDispose]: () => running.stop(true) };
}

const redirect = (location: string) => new Response(null, { status: 307, headers: { location } });

describe("redirects", () => {
  test("within the origin keep the token; relative ones are understood", async () => {
    await using home = server((path) => (path === "/old/name" ? redirect("/new/name") : new Response("here")));
    const web = createWeb({ credentials: { origin: home.origin, token: "secret" } });
    const { response, url } = await web.get(`${home.origin}/old/name`, { signal });
    expect(await response.text()).toBe("here");
    expect(url).toBe(`${home.origin}/new/name`);
    expect(home.seen.map(({ authorization }) => authorization)).toEqual(["Bearer secret", "Bearer secret"]);
  });

  test("to another port and back send the token to its origin only", async () => {
    await using away = server(() => redirect(`${home.origin}/end`));
    await using home = server((path) => (path === "/end" ? new Response("end") : redirect(`${away.origin}/x`)));
    const web = createWeb({ credentials: { origin: home.origin, token: "secret" } });
    await (await web.get(`${home.origin}/start`, { signal })).response.text();
    expect(away.seen).toEqual([{ path: "/x", authorization: null }]);
    expect(home.seen.at(-1)).toEqual({ path: "/end", authorization: "Bearer secret" });
  });

  test("in a circle end with an error", async () => {
    await using home = server(() => redirect("/again"));
    const failure = await failureOf(createWeb().get(`${home.origin}/`, { signal }));
    expect(failure.message).toContain("redirects more than 10 times");
  });

  test("to something that is no web address are refused", async () => {
    await using home = server(() => redirect("file:///etc/passwd"));
    const failure = await failureOf(createWeb().get(`${home.origin}/`, { signal }));
    expect(failure.details).toEqual({ reason: "bad_redirect" });
  });

  test("are each shown to the guard, which may refuse them", async () => {
    await using home = server(() => redirect("http://169.254.169.254/latest/meta-data"));
    const shown: string[] = [];
    const web = createWeb({
      admit: ({ host }) => {
        shown.push(host);
        if (host.startsWith("169.254.")) throw new Error("not there");
      },
    });
    expect(await web.get(`${home.origin}/`, { signal }).catch((error: Error) => error.message)).toBe("not there");
    expect(shown).toEqual([new URL(home.origin).host, "169.254.169.254"]);
  });
});

test("a proxy is asked instead of the host", async () => {
  await using proxy = server(() => new Response("from the proxy"));
  const { response } = await createWeb({ proxy: proxy.origin }).get("http://model.test/file", { signal });
  expect(await response.text()).toBe("from the proxy");
  expect(proxy.seen[0]?.path).toBe("http://model.test/file");
});
