// Segments that follow each other become one, up to a length.
import { expect, test } from "bun:test";
import { joinChunks } from "../../../src/engine/speech/chunks.ts";

const word = (text: string, start: number, end: number): { text: string; timestamp: [number, number] } => ({
  text,
  timestamp: [start, end],
});
const segments = [
  { start: 0, end: 4, text: " One two.", words: [word(" One", 0, 2), word(" two.", 2, 4)] },
  { start: 4.004, end: 9, text: " Three.", words: [word(" Three.", 4, 9)] },
  { start: 9, end: 12, text: " Four.", words: [word(" Four.", 9, 12)] },
];

const wishes = { chunk_level: "segment", word_timestamps: false, merge_chunks: true, max_segment_len: 10 } as const;

test("as long as they last no longer than that together", () => {
  const { text, chunks } = joinChunks(segments, wishes);
  expect(text).toBe("One two. Three. Four.");
  expect(chunks).toEqual([
    { timestamp: [0, 9], text: " One two. Three." },
    { timestamp: [9, 12], text: " Four." },
  ]);
  expect(joinChunks(segments, { ...wishes, max_segment_len: 12 }).chunks).toHaveLength(1);
  expect(joinChunks(segments, { ...wishes, merge_chunks: false }).chunks).toHaveLength(3);
});

test("words stay as they are", () => {
  const [first] = joinChunks(segments, { ...wishes, word_timestamps: true }).chunks;
  expect(first?.words?.map(({ text }) => text)).toEqual([" One", " two.", " Three."]);
  expect(joinChunks(segments, { ...wishes, chunk_level: "word" }).chunks).toHaveLength(4);
});
