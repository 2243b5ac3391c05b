// What one pass of Whisper wrote: stretches of text between marks of time, and how far it got.

/** Times in seconds from the beginning of the window. */
export type Segment = {
  start: number;
  end: number;
  /** With the marks of time. */
  tokens: number[];
  /** When each token was said, where that was asked for. */
  times?: number[];
};

/** One step of a mark of time: two frames of the encoder's input, 10 ms each. */
export const MARK_SECONDS = 0.02;
const FRAMES_PER_MARK = 2;

export type Pass = {
  /** Without the beginning that was given and without the end mark. */
  tokens: readonly number[];
  times?: readonly number[];
  /** Id of `<|0.00|>`. */
  firstMark: number;
  /** Frames that were left in the window. */
  frames: number;
};

/** `advance`: frames to go on by; what was begun and not ended is thrown away. As transformers' `_retrieve_segment`. */
export function segmentsOf({ tokens, times, firstMark, frames }: Pass): { segments: Segment[]; advance: number } {
  const isMark = tokens.map((token) => token >= firstMark);
  const seconds = (token: number | undefined) => ((token ?? firstMark) - firstMark) * MARK_SECONDS;
  const endsInOneMark = isMark.at(-1) === true && isMark.at(-2) === false;
  const cuts = isMark.flatMap((is, i) => (i > 0 && is && isMark[i - 1] ? [i] : []));
  const between = (from: number, to: number) => ({
    tokens: tokens.slice(from, to),
    ...(times && { times: times.slice(from, to) }),
  });
  if (cuts.length === 0) {
    const last = tokens.findLast((_, i) => isMark[i]);
    const end = last === undefined || last === firstMark ? (frames / FRAMES_PER_MARK) * MARK_SECONDS : seconds(last);
    return { segments: [{ start: 0, end, ...between(0, tokens.length) }], advance: frames };
  }
  const ends = endsInOneMark ? [...cuts, tokens.length] : cuts;
  const segments = ends.map((to, i) => {
    const from = ends[i - 1] ?? 0;
    return { start: seconds(tokens[from]), end: seconds(tokens[to - 1]), ...between(from, to) };
  });
  const lastMark = tokens[(ends.at(-1) ?? 0) - 1] ?? firstMark;
  return { segments, advance: endsInOneMark ? frames : (lastMark - firstMark) * FRAMES_PER_MARK };
}
