// What is told of an answer: enough to find it again, and nothing that opens anything.
import { expect, test } from "bun:test";
import { createLog } from "../../src/core/log.ts";
import { createObserve } from "../../src/gateway/observe.ts";

test("log and traces have neither what a query holds nor names of files, whose knowledge is the right to read them", () => {
  const lines: string[] = [];
  const traced: { path: string; requestId: string }[] = [];
  const counted: string[] = [];
  const observe = createObserve({
    metrics: { answered: ({ face }) => counted.push(face) },
    tracing: { isOn: true, answered: (facts) => traced.push(facts) },
    log: createLog({ level: "debug", format: "json", write: (line) => lines.push(line) }),
    isDebugging: true,
  });
  const response = new Response("", { headers: { "x-fal-request-id": "id-of-the-answer" } });
  const urls = [
    "http://box/run/forecourt/echo?fal_jwt_token=secret",
    "http://box/files/secret/image-1.png",
    "http://box/cdn/uploads/secret?expires=1",
    "http://v3.fal.media/files/b/secret/a.png",
    "http://v3.fal.media/secret",
  ];
  for (const url of urls) observe(new Request(url), response, Date.now());
  const paths = ["/run/forecourt/echo", "/files/...", "/cdn/...", "/files/...", "/..."];
  expect(traced.map(({ path }) => path)).toEqual(paths);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject(
    paths.map((path) => ({ path, requestId: "id-of-the-answer", status: 200 })),
  );
  expect(JSON.stringify([lines, traced, counted])).not.toContain("secret");
});
