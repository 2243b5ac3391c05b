// This box's own URLs in an input are read from disk; other keys' restricted files are not.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Key } from "../../../src/control/keys/key.ts";
import { type Acl, OPEN } from "../../../src/control/storage/acl.ts";
import { createInputMedia } from "../../../src/control/storage/input-media.ts";
import { createOwnMedia, type OwnMedia } from "../../../src/control/storage/own-media.ts";
import { createAddressGuard } from "../../../src/control/storage/public-address.ts";
import { newFileToken } from "../../../src/core/ids.ts";
import { mediaUrl, Type } from "../../../src/core/schema.ts";
import { bytes, milliseconds } from "../../../src/core/units.ts";
import { createTestAppliance, type TestAppliance } from "../../support/create-test-appliance.ts";

let box: TestAppliance;
let owner: Key;
let stranger: Key;
let ownMedia: OwnMedia;
beforeAll(async () => {
  box = await createTestAppliance();
  owner = box.keys.create({ name: "owner", scope: "api" }).key;
  stranger = box.keys.create({ name: "stranger", scope: "api" }).key;
  ownMedia = createOwnMedia({ ...box, fileRules: box.jobs.fileRules });
});
afterAll(() => box[Symbol.asyncDispose]());

async function* content() {
  yield new TextEncoder().encode("picture");
}

async function upload(acl: Acl) {
  const made = await box.uploads.begin({
    ...{ key: owner.id, name: "a.png", contentType: "image/png" },
    lifecycle: { acl },
  });
  await box.uploads.write(made.secret, content());
  return { ...made, path: `/files/b/${made.token}/${made.name}` };
}

async function contentOf(url: string): Promise<string | undefined> {
  const file = await ownMedia(url, stranger.id);
  return file && (await new Response(await file.read()).text());
}

test.each(["https://v3.fal.media", "http://127.0.0.1:3250/cdn", "https://box.example/under/cdn"])(
  "an uploaded file is found whatever its host: %s",
  async (root) => {
    const { path } = await upload(OPEN);
    expect(await contentOf(root + path)).toBe("picture");
  },
);

test("an output file is found", async () => {
  const token = newFileToken();
  mkdirSync(box.files.directory(token), { recursive: true });
  writeFileSync(join(box.files.directory(token), "image_0.png"), "output");
  expect(await contentOf(`http://127.0.0.1:3250/files/${token}/image_0.png`)).toBe("output");
});

test("rules count for the key that asks for the run, and a signed URL opens its file", async () => {
  const { path, token } = await upload({ default: "hide", rules: [] });
  const url = `https://v3.fal.media${path}`;
  expect(await ownMedia(url, owner.id)).toBeDefined();
  await expect(ownMedia(url, stranger.id)).rejects.toMatchObject({ code: "file_download_error" });
  const grant = { use: "file" as const, file: token };
  const identity = box.tokens.issue({ key: owner.id, grant, lifetime: milliseconds(1000) }).token;
  expect(await ownMedia(`${url}?identity=${identity}`, stranger.id)).toBeDefined();
  await expect(ownMedia(`${url}?identity=x`, stranger.id)).rejects.toThrow();
});

test.each([
  "https://example.org/a.png",
  "not a url",
  "https://v3.fal.media/files/b/AAAAAAAAAAAAAAAAAAAAAA/a.png",
  "https://v3.fal.media/files/AAAAAAAAAAAAAAAAAAAAAA/..%2f..%2fforecourt.sqlite",
])("%s is not ours", async (url) => {
  expect(await ownMedia(url, owner.id)).toBeUndefined();
});

test("that a file of this box is gone is told, instead of only that its address is private", async () => {
  const inputs = createInputMedia({
    ...{ files: box.files, ownMedia, namedWeights: async () => {} },
    limits: { guard: createAddressGuard([]), maxBytes: bytes(1024), timeout: milliseconds(10_000) },
  });
  const fetched = (image_url: string) =>
    inputs.fetch({
      ...{ schema: Type.Object({ image_url: mediaUrl("image", "") }), input: { image_url } },
      ...{ token: newFileToken(), key: owner.id, signal: AbortSignal.timeout(10_000) },
    });
  for (const path of ["files/AAAAAAAAAAAAAAAAAAAAAA/a.png", "cdn/files/b/AAAAAAAAAAAAAAAAAAAAAA/a.png"])
    await expect(fetched(`http://127.0.0.1:3250/${path}`)).rejects.toThrow(
      /^image_url: .*not a public address.*\. If this box made the file, it has expired or was deleted$/,
    );
  await expect(fetched("http://127.0.0.1:3250/a.png")).rejects.toThrow(/fetch\.allow\)$/);
});
