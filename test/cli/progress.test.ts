// The progress bar, on a terminal and in a log.
import { describe, expect, test } from "bun:test";
import { bar, createProgress } from "../../src/cli/progress.ts";

function screen(isTerminal: boolean) {
  let now = 0;
  const written: string[] = [];
  return {
    written,
    wait: (ms: number) => {
      now += ms;
    },
    screen: { isTerminal, columns: 80, write: (text: string) => void written.push(text), now: () => now },
  };
}

test("the bar tells what, how far and how long, cut to the terminal", () => {
  expect(bar({ what: "running", share: { at: 5, of: 20 }, seconds: 3, columns: 80 })).toBe(
    `running [########${" ".repeat(22)}] 5/20, 3 s`,
  );
  expect(bar({ what: "loading", seconds: 12, columns: 80 })).toBe("loading, 12 s");
  expect(bar({ what: "running", share: { at: 5, of: 20 }, seconds: 3, columns: 21 })).toHaveLength(20);
});

describe("on a terminal", () => {
  test("what is done in a moment shows nothing", () => {
    const { screen: given, written, wait } = screen(true);
    const progress = createProgress(given);
    progress.show("running");
    wait(200);
    progress.show("running", { at: 1, of: 2 });
    progress.end();
    expect(written).toEqual([]);
  });

  test("what takes longer shows a bar and takes it away at the end", () => {
    const { screen: given, written, wait } = screen(true);
    const progress = createProgress(given);
    wait(400);
    progress.show("running", { at: 1, of: 2 });
    wait(10);
    progress.show("running", { at: 2, of: 2 });
    progress.end();
    expect(written).toHaveLength(2);
    expect(written[0]).toContain("1/2");
    expect(written[1]).toBe("\r\x1b[K");
  });
});

test("elsewhere there is a plain line every few seconds", () => {
  const { screen: given, written, wait } = screen(false);
  const progress = createProgress(given);
  for (let at = 1; at <= 12; at++) {
    wait(1000);
    progress.show("running", { at, of: 12 });
  }
  progress.end();
  expect(written).toEqual(["running 41 % (5 s)\n", "running 83 % (10 s)\n"]);
});
