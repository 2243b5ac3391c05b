import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { asId, type JobId } from "../../../src/core/ids.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const jobOf = (response: Response) => gateway.jobs.find(asId<JobId>(response.headers.get("x-fal-request-id") ?? ""));

describe("a sync run", () => {
  test("answers with the model's bare output and the headers of an inference", async () => {
    const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } });
    const run = await gateway.nextRun();
    expect(run.job.input).toEqual({ prompt: "hi", steps: 1, step_ms: 0 });
    run.finish({ prompt: "hi", steps: 1 });
    const response = await answer;
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toEqual({ prompt: "hi", steps: 1 });
    expect(response.headers.get("x-fal-billable-units")).toBe("2");
    expect(response.headers.get("x-forecourt-cost")).toBe("1 USD");
    expect(response.headers.get("x-forecourt-device")).toBe("cpu");
    expect(response.headers.get("x-forecourt-dtype")).toBe("fp32");
    expect(response.headers.get("x-forecourt-timing")).toMatch(/^queue=[\d.]+, load=[\d.]+, run=[\d.]+$/);
    expect(jobOf(response)?.status).toBe("done");
  });

  test("works by alias and with a slash at the end", async () => {
    for (const path of ["/run/fal-ai/echo/fast", "/run/forecourt/echo/"]) {
      const answer = gateway.ask("POST", path, { body: { prompt: "hi" } });
      (await gateway.nextRun()).finish({ prompt: path, steps: 1 });
      expect(await (await answer).json()).toMatchObject({ prompt: path });
    }
  });

  test("reads an input from the query string as the schema means it", async () => {
    const answer = gateway.ask("GET", "/run/forecourt/echo?prompt=7&steps=3&step_ms=0.5&unknown=x");
    const run = await gateway.nextRun();
    expect(run.job.input).toEqual({ prompt: "7", steps: 3, step_ms: 0.5 });
    run.finish({});
    expect((await answer).status).toBe(200);
  });

  test("an empty body is an empty input", async () => {
    const response = await gateway.ask("POST", "/run/forecourt/echo");
    expect(response.status).toBe(422);
    expect((await response.json()).detail).toMatchObject([{ loc: ["body", "prompt"], type: "missing" }]);
  });

  test("files of the output lead to the caller's own origin, and texts that only look like files stay", async () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "box.example:8443" };
    const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" }, headers });
    const run = await gateway.nextRun();
    const url = run.save("image_0.png", "not a picture");
    run.finish({ images: [{ url, width: 8 }], prompt: "forecourt-file:x" });
    const response = await answer;
    const { images, prompt } = await response.json();
    const token = jobOf(response)?.files;
    expect(images).toEqual([{ url: `https://box.example:8443/files/${token}/image_0.png`, width: 8 }]);
    expect(prompt).toBe("forecourt-file:x");
    expect(await (await gateway.ask("GET", new URL(images[0].url).pathname, { key: "" })).text()).toBe("not a picture");
  });

  test("a failed job answers with its own status, and its id", async () => {
    const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } });
    (await gateway.nextRun()).fail({ code: "runner_failed", message: "The graph has no such input." });
    const response = await answer;
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      detail: "The graph has no such input.",
      error_type: "runner_server_error",
    });
    expect(jobOf(response)?.status).toBe("failed");
  });

  test("is cancelled when its caller leaves", async () => {
    const caller = new AbortController();
    const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "bye" }, signal: caller.signal });
    await gateway.nextRun();
    const [job] = gateway.jobs.open();
    caller.abort();
    expect((await answer).status).toBe(499);
    const end = job && (await lastOf(gateway.jobs.watch(job.id, AbortSignal.timeout(60_000))));
    expect(end).toMatchObject({ type: "finished", job: { status: "cancelled" } });
  });

  test("is not started for a caller who has left already", async () => {
    const signal = AbortSignal.abort();
    const response = await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "bye" }, signal });
    expect(response.status).toBe(499);
    expect(gateway.jobs.open()).toEqual([]);
  });

  test("an unknown application and an unknown path of a known one are told apart", async () => {
    const unknown = await gateway.ask("POST", "/run/some-owner/some-app", { body: {} });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toEqual({
      detail: expect.stringContaining('Application "some-app" not found. This box has no model '),
    });
    const path = await gateway.ask("POST", "/run/forecourt/echo/nothing", { body: {} });
    expect(path.status).toBe(404);
    expect(await path.json()).toEqual({ detail: "Path /nothing not found" });
  });

  test("an endpoint with thousands of parts is refused at once", async () => {
    const started = cpuMs();
    const response = await gateway.ask("POST", `/run/${"a/".repeat(20_000)}`, { body: {} });
    expect(response.status).toBe(404);
    expect(cpuMs() - started).toBeLessThan(500);
  });

  test("another method is refused with those that work", async () => {
    const response = await gateway.ask("PUT", "/run/forecourt/echo", { body: {} });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST, GET");
  });
});

async function lastOf<T>(events: AsyncIterable<T>): Promise<T | undefined> {
  let last: T | undefined;
  for await (const event of events) last = event;
  return last;
}
