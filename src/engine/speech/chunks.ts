// What was heard, as a caller wants it: the text, and segments or words with their times.
import type { Heard } from "./listen.ts";

type Wishes = {
  chunk_level: "none" | "segment" | "word";
  word_timestamps: boolean;
  merge_chunks: boolean;
  max_segment_len: number;
};
type Chunk = {
  timestamp: [number, number];
  text: string;
  words?: { text: string; timestamp: [number, number] }[];
  certainty?: NonNullable<Heard["certainty"]>;
};

/** Times are hundredths of a second. */
export function joinChunks(
  segments: readonly Heard[],
  { chunk_level, word_timestamps, merge_chunks, max_segment_len }: Wishes,
): { text: string; chunks: Chunk[] } {
  const text = segments
    .map((each) => each.text)
    .join("")
    .trim();
  if (chunk_level === "none") return { text, chunks: [] };
  const rounded = (merge_chunks ? merged(segments, max_segment_len) : segments).map(
    ({ start, end, text, words, certainty }) => ({
      timestamp: times(start, end),
      text,
      ...(certainty && { certainty }),
      words: words?.map((word) => ({ text: word.text, timestamp: times(...word.timestamp) })) ?? [],
    }),
  );
  if (chunk_level === "word") return { text, chunks: rounded.flatMap(({ words }) => words) };
  return {
    text,
    chunks: rounded.map(({ words, ...segment }) => ({ ...segment, ...(word_timestamps && { words }) })),
  };
}

const times = (start: number, end: number): [number, number] => [hundredths(start), hundredths(end)];
export const hundredths = (seconds: number) => Math.round(seconds * 100) / 100;

/** Each with those after it, as long as both together last no longer than that. */
function merged(segments: readonly Heard[], longest: number): Heard[] {
  const joined: Heard[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (last && segment.end - last.start <= longest) joined[joined.length - 1] = together(last, segment);
    else joined.push(segment);
  }
  return joined;
}

function together(first: Heard, second: Heard): Heard {
  const words = first.words && second.words && [...first.words, ...second.words];
  return { start: first.start, end: second.end, text: first.text + second.text, ...(words && { words }) };
}
