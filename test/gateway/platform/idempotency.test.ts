// Idempotency-Key over a restart of the whole box.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway } from "../../../src/gateway/app.ts";
import { createTestAppliance } from "../../support/create-test-appliance.ts";

let data: string;
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), "forecourt-idempotency-"));
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

/** A box on the same directory, for as long as `use` lasts. */
async function withBox<T>(use: (post: (body: unknown, idempotencyKey?: string) => Promise<Response>) => Promise<T>) {
  await using box = await createTestAppliance({ data });
  const admin = box.keys.list().find(({ name }) => name === "restarts") ?? { id: "" };
  if (admin.id === "") adminKey = box.keys.create({ name: "restarts", scope: "admin" }).secret;
  const settings = { publicUrl: "", allowOrigins: ["*"], limits: { bodyMb: 16 }, realtime: { sessionSeconds: 60 } };
  const { app } = createGateway({ ...box, settings, version: "1", isReady: () => true });
  return await use((body, idempotencyKey = "once") => {
    const headers = { authorization: `Key ${adminKey}`, "idempotency-key": idempotencyKey };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    return Promise.resolve(app.handle(new Request("http://localhost/platform/v1/keys", request)));
  });
}
let adminKey = "";

test("a key that was made before it is not made again after it, and its secret is told again", async () => {
  const made = await withBox(async (post) => await (await post({ alias: "app" })).json());
  await withBox(async (post) => {
    const again = await post({ alias: "app" });
    expect([again.status, await again.json()]).toEqual([201, made]);
    expect((await post({ alias: "another" })).status).toBe(400);
    const other = await (await post({ alias: "app" }, "twice")).json();
    expect(other.key_id).not.toBe(made.key_id);
  });
});
