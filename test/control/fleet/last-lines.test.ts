import { expect, test } from "bun:test";
import { collectLines } from "../../../src/control/fleet/last-lines.ts";

const streamOf = (chunks: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });

async function collect(chunks: string[]): Promise<{ seen: string[]; last: string[] }> {
  const seen: string[] = [];
  const lines = collectLines(streamOf(chunks), (line) => seen.push(line));
  await lines.ended;
  return { seen, last: lines.last() };
}

test("lines are joined across chunks, blank ones dropped, an unfinished last one kept", async () => {
  const { seen, last } = await collect(["one\ntw", "o\r\n\n", "thr", "ee"]);
  expect(seen).toEqual(["one", "two", "three"]);
  expect(last).toEqual(seen);
});

test("only the last 200 lines are kept", async () => {
  const { seen, last } = await collect(Array.from({ length: 1000 }, (_, n) => `line ${n}\n`));
  expect(seen).toHaveLength(1000);
  expect(last).toHaveLength(200);
  expect(last.at(-1)).toBe("line 999");
});

test("a line without end is cut instead of kept growing", async () => {
  const { last } = await collect(Array.from({ length: 100 }, () => "x".repeat(1000)));
  expect(last.every((line) => line.length <= 2000)).toBe(true);
});
