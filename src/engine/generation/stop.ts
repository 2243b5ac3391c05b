// Holds back the end of a text that may yet become a stop string, and cuts the text where one is complete.

export type StopWatch = {
  /** What may be shown of the text so far. Once `isStopped`, nothing more comes. */
  push(text: string): string;
  /** What was held back: no stop string came of it. */
  end(): string;
  readonly isStopped: boolean;
};

export function createStopWatch(stops: readonly string[]): StopWatch {
  let held = "";
  let isStopped = false;
  return {
    get isStopped() {
      return isStopped;
    },
    push(text) {
      if (isStopped) return "";
      held += text;
      const found = firstOf(held, stops);
      isStopped = found !== undefined;
      const shown = held.slice(0, found ?? held.length - longestBegun(held, stops));
      held = isStopped ? "" : held.slice(shown.length);
      return shown;
    },
    end() {
      const rest = held;
      held = "";
      return rest;
    },
  };
}

function firstOf(text: string, stops: readonly string[]): number | undefined {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return places.length > 0 ? Math.min(...places) : undefined;
}

/** Length of the text's end that begins one of `words`. */
export function longestBegun(text: string, words: readonly string[]): number {
  const longest = Math.max(0, ...words.map((word) => word.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (words.some((word) => word.length > length && word.startsWith(end))) return length;
  }
  return 0;
}
