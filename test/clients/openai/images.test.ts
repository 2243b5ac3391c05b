// Pictures by OpenAI's own JavaScript client, unmodified: drawn, changed whole, changed where a mask is transparent, streamed.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import sharp from "sharp";
import { proved } from "../../support/conformance.ts";
import { languageServer } from "./language-server.ts";

const FAMILIES = join(import.meta.dir, "../../reference/families");
const EDITING = "test/edit-image";
const editing = `
id: ${EDITING}
title: Edits
description: Random weights.
category: edit-image
licence: { id: Apache-2.0, commercial: true }
pipeline: edit-image
source: { path: ${join(FAMILIES, "flux-2-klein")} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: image, amount: 0, currency: USD }
defaults: { num_inference_steps: 2, output_format: png }
`;

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
beforeAll(async () => {
  server = await languageServer({ models: { editing } });
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

setDefaultTimeout(60_000);

const sent = async <T>(asked: PromiseLike<T>) => await asked;
const asked = { model: "test/text-to-image", prompt: "a big red circle on a blue ground", seed: 7 } as const;
const pixels = async (bytes: Buffer) => await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
const pictureOf = ({ data }: OpenAI.ImagesResponse, at = 0) => Buffer.from(data?.[at]?.b64_json ?? "", "base64");

test("a picture comes as a URL that anybody can open, or within the answer, the same for the same seed", async () => {
  const byUrl = await client.images.generate({ ...asked, size: "128x128", response_format: "url" });
  expect(byUrl.data).toEqual([{ url: expect.any(String) }]);
  const fetched = Buffer.from(await (await fetch(byUrl.data?.[0]?.url ?? "")).arrayBuffer());
  const within = await client.images.generate({ ...asked, response_format: "b64_json" });
  expect(within.data).toEqual([{ b64_json: fetched.toString("base64") }]);
  const { info } = await pixels(fetched);
  expect([info.width, info.height]).toEqual([128, 128]);
  const webp = await client.images.generate({ ...asked, n: 2, response_format: "b64_json", output_format: "webp" });
  expect(await Promise.all([0, 1].map(async (at) => (await sharp(pictureOf(webp, at)).metadata()).format))).toEqual([
    "webp",
    "webp",
  ]);
  proved("openai-js", "images");
});

test("who does not say how gets both, as code for OpenAI's several models expects the one or the other", async () => {
  const drawn = await client.images.generate({ ...asked, n: 2 });
  expect(drawn.data).toHaveLength(2);
  for (const [at, { url }] of drawn.data?.entries() ?? [])
    expect(Buffer.from(await (await fetch(url ?? "")).arrayBuffer())).toEqual(pictureOf(drawn, at));
  const image = await toFile(pictureOf(drawn), "before.png", { type: "image/png" });
  const { data } = await client.images.edit({ prompt: asked.prompt, image, model: "test/image-to-image" });
  expect(data).toEqual([{ url: expect.stringContaining("/files/"), b64_json: expect.stringMatching(/^iVBOR/) }]);
});

test("a stream has previews and then the picture", async () => {
  const types: string[] = [];
  let last = "";
  for await (const event of await client.images.generate({ ...asked, stream: true, partial_images: 2 })) {
    types.push(event.type);
    last = event.b64_json;
  }
  expect(types.at(-1)).toBe("image_generation.completed");
  expect(types.filter((type) => type === "image_generation.partial_image").length).toBeGreaterThan(0);
  expect(types.length).toBeLessThanOrEqual(3);
  const whole = await client.images.generate({ ...asked, response_format: "b64_json" });
  expect(last).toBe(whole.data?.[0]?.b64_json ?? "");
  proved("openai-js", "images-stream");
});

test("an edit draws the picture anew; with a mask only where that is transparent", async () => {
  const before = pictureOf(await client.images.generate({ ...asked, response_format: "b64_json" }));
  const image = await toFile(before, "before.png", { type: "image/png" });
  const other = { prompt: "a big yellow star on a green ground", response_format: "b64_json", seed: 3 } as const;
  const whole = await client.images.edit({ ...other, image, model: "test/image-to-image" });
  expect(await changed(before, pictureOf(whole), 0, 64)).toBeGreaterThan(20);
  const half = sharp({ create: { width: 64, height: 128, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 1 } } });
  const canvas = sharp({
    create: { width: 128, height: 128, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
  });
  const mask = await canvas
    .composite([{ input: await half.png().toBuffer(), left: 0, top: 0 }])
    .png()
    .toBuffer();
  const masked = await client.images.edit({
    ...{ ...other, image, model: "test/inpaint" },
    mask: await toFile(mask, "mask.png", { type: "image/png" }),
  });
  const [left, right] = [
    await changed(before, pictureOf(masked), 0, 48),
    await changed(before, pictureOf(masked), 80, 128),
  ];
  expect(left).toBeLessThan(8);
  expect(right).toBeGreaterThan(3 * left);
  proved("openai-js", "images-edit");
});

test("a model that edits as the prompt says looks at one picture or several; one that cannot says so", async () => {
  const [one, two] = await Promise.all(
    [1, 2].map(async (number) => await toFile(Bun.file(join(FAMILIES, `reference-${number}.png`)), "a.png")),
  );
  if (!one || !two) throw new Error("there are two pictures");
  const given = { prompt: "a big red circle", model: EDITING, seed: 1 };
  const single = await client.images.edit({ ...given, image: one });
  expect(single.size as string).toBe("96x72");
  const alone = await client.images.edit({ ...given, image: [one] });
  expect(pictureOf(alone)).toEqual(pictureOf(single));
  const combined = await client.images.edit({ ...given, image: [one, two] });
  expect(pictureOf(combined)).not.toEqual(pictureOf(single));
  const refused = (more: object) => sent(client.images.edit({ ...given, image: [one, two], ...more }));
  await expect(refused({ strength: 0.5 })).rejects.toMatchObject({ status: 400, param: "strength" });
  await expect(refused({ image: Array(11).fill(two) })).rejects.toMatchObject({ status: 400, param: "image" });
  await expect(refused({ model: "test/image-to-image" })).rejects.toMatchObject({ status: 400, param: "image" });
  await expect(refused({ model: "test/inpaint", mask: one })).rejects.toMatchObject({ status: 400, param: "image" });
  await expect(refused({ markup: one })).rejects.toMatchObject({ status: 400, param: "markup" });
  await expect(refused({ mask: one })).rejects.toThrow(/not for this.*without a mask/);
});

test("an edit comes as JSON too, with its pictures by address, and is the same as the form's", async () => {
  const picture = join(FAMILIES, "reference-1.png");
  const uri = `data:image/png;base64,${Buffer.from(await Bun.file(picture).arrayBuffer()).toString("base64")}`;
  const given = { prompt: "a big red circle", model: EDITING, seed: 1, response_format: "b64_json" } as const;
  const form = await client.images.edit({ ...given, image: await toFile(Bun.file(picture), "a.png") });
  const json = (body: object) => sent(client.post("/images/edits", { body: { ...given, ...body } }));
  const images = [{ image_url: uri }];
  expect((await json({ images })) as OpenAI.ImagesResponse).toMatchObject({ data: form.data ?? [], size: "96x72" });
  const inpainting = { ...given, model: "test/inpaint" };
  const masked = await client.images.edit({
    ...inpainting,
    image: await toFile(Bun.file(picture), "a.png"),
    mask: await toFile(Bun.file(picture), "a.png"),
  });
  expect(await json({ ...inpainting, images, mask: { image_url: uri } })).toMatchObject({ data: masked.data ?? [] });
  const events: string[] = [];
  const stream = { stream: true as const, body: { ...given, images, stream: true } };
  for await (const { type } of (await client.post("/images/edits", stream)) as AsyncIterable<{ type: string }>)
    events.push(type);
  expect(events.at(-1)).toBe("image_edit.completed");
  await expect(json({})).rejects.toMatchObject({ status: 400, param: "images", code: "missing_required_parameter" });
  await expect(json({ images: [{ file_id: "file-1" }] })).rejects.toThrow(/images.0.file_id: Files .* image_url/);
  await expect(json({ images, mask: { file_id: "file-1" } })).rejects.toThrow(/mask.file_id: Files .* image_url/);
  await expect(json({ images: [{ image_url: "data:image/png;base64,AAAA" }] })).rejects.toMatchObject({
    ...{ status: 400, param: "images" },
  });
  const inside = json({ images: [{ image_url: "http://10.0.0.1/a.png" }] });
  await expect(inside).rejects.toMatchObject({ status: 400, param: "images" });
  const several = { model: "test/image-to-image", images: [...images, ...images] };
  await expect(json(several)).rejects.toMatchObject({ status: 400, param: "images" });
});

/** Mean difference of the pixels between two columns. */
async function changed(a: Buffer, b: Buffer, from: number, to: number): Promise<number> {
  const [one, other] = [await pixels(a), await pixels(b)];
  let [sum, count] = [0, 0];
  for (let y = 0; y < 128; y++)
    for (let at = (y * 128 + from) * 3; at < (y * 128 + to) * 3; at++) {
      sum += Math.abs((one.data[at] ?? 0) - (other.data[at] ?? 0));
      count++;
    }
  return sum / count;
}

test("what cannot be drawn is refused by its field", async () => {
  const tooLarge = sent(client.images.generate({ ...asked, size: "4096x4096" as never }));
  await expect(tooLarge).rejects.toMatchObject({ status: 400, type: "invalid_request_error", param: "size" });
  const transparent = sent(client.images.generate({ ...asked, background: "transparent" }));
  await expect(transparent).rejects.toMatchObject({ status: 400, param: "background" });
  const words = await toFile(Buffer.from("no picture"), "a.png", { type: "image/png" });
  const unreadable = sent(client.images.edit({ image: words, prompt: "x", model: "test/image-to-image" }));
  await expect(unreadable).rejects.toMatchObject({ status: 400, param: "image" });
  const wrongKind = sent(client.images.edit({ image: words, prompt: "x", model: asked.model }));
  await expect(wrongKind).rejects.toThrow(/not for this.*images\/generations/);
});

test("fields that mean nothing may come several times and have any name; a text that comes twice is no text", async () => {
  const picture = pictureOf(await client.images.generate({ ...asked, response_format: "b64_json" }));
  const edit = async (fields: [string, string][]) => {
    const form = new FormData();
    form.append("model", "test/image-to-image");
    form.append("image", new Blob([new Uint8Array(picture)], { type: "image/png" }), "a.png");
    for (const [name, value] of fields) form.append(name, value);
    const headers = { authorization: `Bearer ${server.key}` };
    const response = await fetch(`${server.baseURL}/images/edits`, { method: "POST", headers, body: form });
    return { status: response.status, body: await response.json() };
  };
  const strange: [string, string][] = ["constructor", "__proto__", "metadata[]", "metadata[]"].map((name) => [
    name,
    "x",
  ]);
  expect(await edit([["prompt", "a star"], ...strange])).toMatchObject({ status: 200 });
  const twice = await edit(["a star", "a ring"].map((prompt) => ["prompt", prompt]));
  expect(twice).toMatchObject({ status: 400, body: { error: { param: "prompt" } } });
  expect(twice.body.error.message).toContain("valid string");
});
