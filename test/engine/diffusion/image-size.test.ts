// Sizes at which pictures of any shape are drawn anew.
import { expect, test } from "bun:test";
import { sizeToRedraw } from "../../../src/engine/diffusion/image-size.ts";

const model = { native: { width: 512, height: 512 }, multiple: 8 };
const redrawn = (width: number, height: number) => sizeToRedraw(undefined, { picture: { width, height }, ...model });

test("a picture is drawn in its own size, or smaller with its proportions", () => {
  expect(redrawn(300, 200)).toEqual({ width: 304, height: 200 });
  expect(redrawn(4000, 1000)).toEqual({ width: 1024, height: 256 });
  expect(redrawn(8000, 500)).toEqual({ width: 2048, height: 128 });
});

test("nothing that is drawn has more pixels than the model was trained for, however long it is", () => {
  for (const length of [5000, 60_000, 67_108_864]) {
    expect(redrawn(1, length)).toEqual({ width: 8, height: 2048 });
    expect(redrawn(length, 1)).toEqual({ width: 2048, height: 8 });
  }
});
