// Stop strings and thoughts in a text that comes piece by piece.
import { describe, expect, test } from "bun:test";
import { createStopWatch } from "../../../src/engine/generation/stop.ts";
import { createThoughts } from "../../../src/engine/generation/thoughts.ts";

const pieces = (text: string, size: number) => text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];

describe("stop strings", () => {
  for (const size of [1, 2, 3, 100]) {
    test(`cut the text before the first of them, in pieces of ${size}`, () => {
      const stops = createStopWatch(["END", "\n\n"]);
      const shown = pieces("one EN two ENEND three\n\n", size).map((piece) => stops.push(piece));
      expect(shown.join("")).toBe("one EN two EN");
      expect(stops.isStopped).toBe(true);
      expect(stops.push("more")).toBe("");
    });
  }

  test("hold back what may become one, and no more", () => {
    const stops = createStopWatch(["STOP", "OP!"]);
    expect(stops.push("a STO")).toBe("a ");
    expect(stops.push("N ")).toBe("STON ");
    expect(stops.push("ST")).toBe("");
    expect(stops.end()).toBe("ST");
    expect(stops.isStopped).toBe(false);
  });
});

describe("thoughts", () => {
  const part = (text: string, { size, isThinking = false }: { size: number; isThinking?: boolean }) => {
    const thoughts = createThoughts({ isThinking });
    const parted = [...pieces(text, size).map((piece) => thoughts.push(piece)), thoughts.end()];
    return [parted.map((each) => each.thoughts).join(""), parted.map(({ answer }) => answer).join("")];
  };
  for (const size of [1, 4, 100]) {
    test(`before an answer are parted from it, in pieces of ${size}`, () => {
      expect(part("<think>\nhm < ok\n</think>\n\nYes <think>", { size })).toEqual(["\nhm < ok\n", "Yes <think>"]);
      expect(part("hm</think>Yes", { size, isThinking: true })).toEqual(["hm", "Yes"]);
      expect(part("<th is no mark", { size })).toEqual(["", "<th is no mark"]);
      expect(part("<think>cut off", { size })).toEqual(["cut off", ""]);
    });
  }
});
