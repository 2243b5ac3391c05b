// Reads a stream of text by lines and keeps the end of it.

/** As many as a crash report needs (lessons.md 2). */
const KEPT_LINES = 200;
/** Longer lines are cut: some libraries print tensors. */
const LINE_LENGTH = 2_000;

export type LastLines = {
  /** Oldest first. */
  last(): string[];
  /** Resolves when the stream is at its end. */
  ended: Promise<void>;
};

export function collectLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): LastLines {
  const kept: string[] = [];
  const keep = (text: string) => {
    const line = text.trimEnd().slice(0, LINE_LENGTH);
    if (line === "") return;
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
    onLine(line);
  };
  async function read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      // A line without end must not grow without end.
      rest = (lines.pop() ?? "").slice(0, LINE_LENGTH);
      lines.forEach(keep);
    }
    keep(rest);
  }
  return { last: () => [...kept], ended: read() };
}
