// What was heard, as a caller wants it: the text, and segments or words with their times.
import type { Heard } from "./listen.ts";

type Wishes = { chunk_level: "none" | "segment" | "word"; word_timestamps: boolean };
type Chunk = { timestamp: [number, number]; text: string; words?: { text: string; timestamp: [number, number] }[] };

/** Times are hundredths of a second. */
export function joinChunks(
  segments: readonly Heard[],
  { chunk_level, word_timestamps }: Wishes,
): { text: string; chunks: Chunk[] } {
  const text = segments
    .map((each) => each.text)
    .join("")
    .trim();
  if (chunk_level === "none") return { text, chunks: [] };
  const rounded = segments.map(({ start, end, text, words }) => ({
    timestamp: times(start, end),
    text,
    words: words?.map((word) => ({ text: word.text, timestamp: times(...word.timestamp) })) ?? [],
  }));
  if (chunk_level === "word") return { text, chunks: rounded.flatMap(({ words }) => words) };
  return {
    text,
    chunks: rounded.map(({ words, ...segment }) => ({ ...segment, ...(word_timestamps && { words }) })),
  };
}

const times = (start: number, end: number): [number, number] => [hundredths(start), hundredths(end)];
const hundredths = (seconds: number) => Math.round(seconds * 100) / 100;
