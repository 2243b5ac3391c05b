// Parts a model's thoughts, written between <think> and </think>, from its answer.
import { longestBegun } from "./stop.ts";

export type Parted = { answer: string; thoughts: string };

export type Thoughts = {
  push(text: string): Parted;
  /** What was held back. */
  end(): Parted;
  /** A thought has begun and not ended. */
  readonly isInside: boolean;
};

const [BEGIN, END] = ["<think>", "</think>"];

/** `isThinking`: the prompt ends with the beginning of a thought. Thoughts come first or not at all. */
export function createThoughts({ isThinking }: { isThinking: boolean }): Thoughts {
  let state: "before" | "inside" | "between" | "after" = isThinking ? "inside" : "before";
  let held = "";

  function push(text: string): Parted {
    held += text;
    if (state === "before") {
      const written = held.trimStart();
      if (written === "" || (BEGIN.startsWith(written) && written !== BEGIN)) return NOTHING;
      state = written.startsWith(BEGIN) ? "inside" : "after";
      if (state === "inside") held = written.slice(BEGIN.length);
    }
    if (state === "inside") return inside();
    // The blank lines behind the mark are part of it.
    if (state === "between") held = held.replace(/^\s+/, "");
    if (held !== "") state = "after";
    const answer = held;
    held = "";
    return { answer, thoughts: "" };
  }

  function inside(): Parted {
    const at = held.indexOf(END);
    if (at < 0) {
      const thoughts = held.slice(0, held.length - longestBegun(held, [END]));
      held = held.slice(thoughts.length);
      return { answer: "", thoughts };
    }
    const thoughts = held.slice(0, at);
    held = held.slice(at + END.length);
    state = "between";
    return { thoughts, answer: push("").answer };
  }
  return {
    get isInside() {
      return state === "inside";
    },
    push,
    end() {
      const rest = held;
      held = "";
      return state === "inside" ? { answer: "", thoughts: rest } : { answer: rest, thoughts: "" };
    },
  };
}

const NOTHING: Parted = { answer: "", thoughts: "" };
