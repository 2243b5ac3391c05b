import { expect, test } from "bun:test";
import { bytes, MIB } from "../../src/core/units.ts";
import { readForm } from "../../src/gateway/read-form.ts";
import { cpuMs } from "../support/cpu-time.ts";

const formOf = (names: readonly string[]) =>
  new Request("http://localhost/", {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body: `${names.map((name) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\nx\r\n`).join("")}--b--\r\n`,
  });

test("a field is a list where it is named more than once, or ends in []", async () => {
  expect(await readForm(formOf(["a", "b[]", "c", "c", "c", "constructor"]), bytes(MIB))).toEqual({
    ...{ a: "x", b: ["x"], c: ["x", "x", "x"], constructor: "x" },
  });
});

test("the time that a list takes grows with it and not with its square", async () => {
  const timeOf = async (length: number) => {
    const form = formOf(Array.from({ length }, () => "a[]"));
    const begin = cpuMs();
    expect((await readForm(form, bytes(64 * MIB))).a).toBeArrayOfSize(length);
    return cpuMs() - begin;
  };
  await timeOf(1000);
  const short = await timeOf(20_000);
  // Four times as long; its square would be sixteen times.
  expect(await timeOf(80_000)).toBeLessThan(10 * short);
});
