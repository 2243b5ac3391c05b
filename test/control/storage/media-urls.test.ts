import { expect, test } from "bun:test";
import { mediaUrls } from "../../../src/control/storage/media-urls.ts";
import { mediaUrl, Type, weightsUrl } from "../../../src/core/schema.ts";

const schema = Type.Object({
  image_urls: Type.Array(mediaUrl("image", "")),
  loras: Type.Array(Type.Object({ path: weightsUrl("") })),
});

test("what a field names is fetched, but data URIs and, where files have names too, their names", () => {
  const paths = [
    ...["https://example.com/a.safetensors", "HTTP://example.com/b", "loras/c.safetensors", "data:,d"],
    ...["owner/name", "../x/y", "a/b/c"],
  ];
  const input = {
    image_urls: ["https://example.com/1.png", "data:,2", "three", "DATA:image/png;BASE64,AAAA", "\n data:,5"],
    loras: paths.map((path) => ({ path })),
  };
  expect(mediaUrls(schema, input)).toEqual([
    { loc: ["body", "image_urls", 0], url: "https://example.com/1.png" },
    { loc: ["body", "image_urls", 2], url: "three" },
    { loc: ["body", "loras", 0, "path"], url: "https://example.com/a.safetensors" },
    { loc: ["body", "loras", 1, "path"], url: "HTTP://example.com/b" },
    { loc: ["body", "loras", 4, "path"], url: "owner/name" },
  ]);
});
