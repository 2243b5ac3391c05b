// From voices of overlapping windows to the turns of each speaker, and from these to who said a segment.

/** Seconds; `speaker` is SPEAKER_00 and so on, by who speaks first. */
export type Turn = { start: number; end: number; speaker: string };

/** One voice of one window; `start` in seconds. */
export type Piece = { start: number; speaks: Uint8Array; speaker: number };

type Times = {
  /** Of all windows, in seconds. */
  starts: readonly number[];
  windowSeconds: number;
  frameSeconds: number;
  duration: number;
};

/** Shorter silences do not end a turn, and shorter sounds are none. */
const [BREATH_SECONDS, LEAST_SECONDS] = [0.25, 0.1];

/** At each moment somebody speaks whom at least half of the windows around it hear. */
export function turnsOf(pieces: readonly Piece[], times: Times): Turn[] {
  const { starts, windowSeconds, frameSeconds, duration } = times;
  const frames = Math.ceil(duration / frameSeconds);
  const place = (start: number) => Math.round(start / frameSeconds);
  const windows = new Uint16Array(frames);
  for (const start of starts)
    for (let i = place(start), end = place(start + windowSeconds); i < Math.min(end, frames); i++)
      windows[i] = (windows[i] ?? 0) + 1;
  const speakers = [...new Set(pieces.map(({ speaker }) => speaker))];
  const all = speakers.flatMap((speaker) => {
    const votes = votesFor(
      pieces.filter((piece) => piece.speaker === speaker),
      { frames, place },
    );
    const speaks = votes.map((count, i) => (count > 0 && 2 * count >= (windows[i] ?? 0) ? 1 : 0));
    return runsOf(speaks, frameSeconds).map((run) => ({ ...run, end: Math.min(run.end, duration), speaker }));
  });
  const inOrder = all.sort((a, b) => a.start - b.start);
  const names = [...new Set(inOrder.map(({ speaker }) => speaker))];
  return inOrder.map(({ speaker, ...turn }) => ({ ...turn, speaker: nameOf(names.indexOf(speaker)) }));
}

const nameOf = (number: number) => `SPEAKER_${String(number).padStart(2, "0")}`;

/** Windows that hear a speaker at each moment; two voices of one window that are the same one count once. */
function votesFor(
  pieces: readonly Piece[],
  { frames, place }: { frames: number; place(start: number): number },
): Uint16Array {
  const votes = new Uint16Array(frames);
  for (const start of new Set(pieces.map((piece) => piece.start))) {
    const own = pieces.filter((piece) => piece.start === start);
    const length = own[0]?.speaks.length ?? 0;
    for (let i = 0; i < length; i++) {
      const at = place(start) + i;
      if (at < frames && own.some(({ speaks }) => speaks[i] === 1)) votes[at] = (votes[at] ?? 0) + 1;
    }
  }
  return votes;
}

function runsOf(speaks: ArrayLike<number>, frameSeconds: number): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = [];
  for (let i = 0; i < speaks.length; i++) {
    if (speaks[i] !== 1) continue;
    const [start, last] = [i * frameSeconds, runs.at(-1)];
    if (last && start - last.end <= BREATH_SECONDS) last.end = start + frameSeconds;
    else runs.push({ start, end: start + frameSeconds });
  }
  return runs.filter(({ start, end }) => end - start >= LEAST_SECONDS);
}

/** Who speaks longest within it; undefined where nobody does. */
export function speakerWithin({ start, end }: { start: number; end: number }, turns: readonly Turn[]) {
  const seconds = new Map<string, number>();
  for (const turn of turns) {
    const shared = Math.min(end, turn.end) - Math.max(start, turn.start);
    if (shared > 0) seconds.set(turn.speaker, (seconds.get(turn.speaker) ?? 0) + shared);
  }
  return [...seconds].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}
