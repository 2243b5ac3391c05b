// How far a long thing is: a bar on a terminal, a line now and then elsewhere; nothing for what is done in a moment.

export type Progress = {
  /** What goes on, and how far where that is known. */
  show(what: string, share?: { at: number; of: number }): void;
  /** Takes the bar away. */
  end(): void;
};

type Screen = { isTerminal: boolean; columns: number; write(text: string): void; now(): number };

const stderr = (): Screen => ({
  isTerminal: process.stderr.isTTY ?? false,
  columns: process.stderr.columns ?? 80,
  write: (text) => void process.stderr.write(text),
  now: () => performance.now(),
});

/** Things shorter than this show no bar. */
const DELAY_MS = 300;
/** Redrawn at most this often. */
const FRAME_MS = 80;
/** Without a terminal: a line each time this much has passed. */
const LINE_MS = 5_000;

export function createProgress(screen: Screen = stderr()): Progress {
  const begunAt = screen.now();
  let drawnAt = screen.isTerminal ? begunAt + DELAY_MS - FRAME_MS : begunAt;
  let isDrawn = false;
  let current: { what: string; share?: { at: number; of: number } } = { what: "" };
  const draw = () => {
    const now = screen.now();
    if (now - drawnAt < (screen.isTerminal ? FRAME_MS : LINE_MS)) return;
    drawnAt = now;
    const seconds = Math.floor((now - begunAt) / 1000);
    if (!screen.isTerminal) return screen.write(`${current.what}${percent(current.share)} (${seconds} s)\n`);
    isDrawn = true;
    screen.write(`\r\x1b[K${bar({ ...current, seconds, columns: screen.columns })}`);
  };
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  return {
    show(what, share) {
      current = { what, ...(share && { share }) };
      draw();
    },
    end() {
      clearInterval(timer);
      if (isDrawn) screen.write("\r\x1b[K");
    },
  };
}

const percent = (share: { at: number; of: number } | undefined) =>
  share ? ` ${Math.floor((100 * share.at) / share.of)} %` : "";

type Frame = { what: string; share?: { at: number; of: number }; seconds: number; columns: number };

/** e.g. `drawing [#######       ] 7/14, 3 s`, cut to the width of the terminal. */
export function bar({ what, share, seconds, columns }: Frame): string {
  const width = 30;
  const filled = share ? Math.round((width * Math.min(share.at, share.of)) / share.of) : 0;
  const steps = share ? ` [${"#".repeat(filled)}${" ".repeat(width - filled)}] ${share.at}/${share.of}` : "";
  return `${what}${steps}, ${seconds} s`.slice(0, columns - 1);
}
