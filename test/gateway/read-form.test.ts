import { expect, test } from "bun:test";
import { bytes, MIB } from "../../src/core/units.ts";
import { dataUri, readForm } from "../../src/gateway/read-form.ts";

const formOf = (names: readonly string[], before = "") =>
  new Request("http://localhost/", {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body: `${before}${names.map((name) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\nx\r\n`).join("")}--b--\r\n`,
  });

test("a field is a list where it is named more than once, or ends in []", async () => {
  expect(await readForm(formOf(["a", "b[]", "c", "c", "c", "constructor"]), bytes(MIB))).toEqual({
    ...{ a: "x", b: ["x"], c: ["x", "x", "x"], constructor: "x" },
  });
});

test("a form has a thousand parts at most, wherever the pieces end that it is looked through in", async () => {
  const names = (length: number) => Array.from({ length }, () => "a[]");
  expect((await readForm(formOf(names(1000)), bytes(MIB))).a).toBeArrayOfSize(1000);
  const wide = `--b\r\ncontent-disposition: form-data; name="b"\r\n\r\n${"x".repeat(MIB)}\r\n`;
  for (const body of [formOf(names(1001)), formOf(names(100_000)), formOf(names(1000), wide)])
    await expect(readForm(body, bytes(64 * MIB))).rejects.toMatchObject({
      ...{ code: "bad_request", message: "A multipart body has at most 1000 parts." },
    });
});

test("a file becomes a data URI, however many pieces it has", async () => {
  const content = crypto.getRandomValues(new Uint8Array(60_000));
  for (const times of [0, 1, 13, 14, 40]) {
    const whole = Buffer.concat(Array.from({ length: times }, () => content));
    const uri = await dataUri(new File([whole], "a.bin", { type: "image/png; a=b" }));
    expect(uri === `data:image/png;base64,${whole.toString("base64")}`).toBe(true);
  }
});
