// A download as people watch it: a bar for each file under way on a terminal, a line now and then elsewhere.
import type { PullEvent } from "../../control/weights/progress.ts";
import { createTally, type FileTally } from "../../control/weights/tally.ts";
import { sizeText } from "../terminal.ts";

export type DownloadView = {
  take(event: PullEvent): void;
  /** Takes the bars away. */
  end(): void;
};

export type Screen = { isTerminal: boolean; columns: number; write(text: string): void; now(): number };

const stderr = (): Screen => ({
  isTerminal: process.stderr.isTTY ?? false,
  columns: process.stderr.columns ?? 80,
  write: (text) => void process.stderr.write(text),
  now: () => performance.now(),
});

const FRAME_MS = 100;
/** Without a terminal: a line each time this much has passed. */
const LINE_MS = 5_000;

/** `name` leads each line. */
export function createDownloadView(name: string, screen: Screen = stderr()): DownloadView {
  const tally = createTally();
  const begunAt = screen.now();
  let drawnAt = begunAt;
  let drawnLines = 0;
  let firstAt: number | undefined;

  const erase = () => {
    if (drawnLines > 0) screen.write(`\x1b[${drawnLines}A\r\x1b[J`);
    drawnLines = 0;
  };
  const draw = () => {
    const now = tally.now();
    if (!now) return;
    drawnAt = screen.now();
    firstAt ??= now.at;
    const total = { name, at: now.at, of: now.of, speed: ((now.at - firstAt) * 1000) / (drawnAt - begunAt) };
    if (!screen.isTerminal) return screen.write(`${totalText(total)}\n`);
    erase();
    const lines = [...now.files.filter(isUnderWay).map(fileLine), totalText(total)];
    screen.write(lines.map((line) => `${line.slice(0, screen.columns - 1)}\n`).join(""));
    drawnLines = lines.length;
  };

  return {
    take(event) {
      tally.take(event);
      if (event.type === "notice") {
        erase();
        return screen.write(`${event.message}\n`);
      }
      if (screen.now() - drawnAt >= (screen.isTerminal ? FRAME_MS : LINE_MS)) draw();
    },
    end: erase,
  };
}

const isUnderWay = ({ state }: FileTally) => state === "downloading" || state === "checking";

const WIDTH = 24;

function fileLine({ path, state, at, of }: FileTally): string {
  const filled = of === 0 ? WIDTH : Math.round((WIDTH * Math.min(at, of)) / of);
  const name = path.length > 40 ? `...${path.slice(-37)}` : path.padEnd(40);
  return `  ${name} [${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${state === "checking" ? "checking" : `${sizeText(at)} of ${sizeText(of)}`}`;
}

type Total = { name: string; at: number; of: number; speed: number };

/** E.g. `owner/name: 37 %, 1.5 GiB of 4.1 GiB, 80 MiB/s, 33 s left`. */
function totalText({ name, at, of, speed }: Total): string {
  const share = of === 0 ? 100 : Math.floor((100 * at) / of);
  const rate = speed > 0 ? `, ${sizeText(speed)}/s, ${Math.ceil((of - at) / speed)} s left` : "";
  return `${name}: ${share} %, ${sizeText(at)} of ${sizeText(of)}${rate}`;
}
