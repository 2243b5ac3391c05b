// Reads bytes by a grammar: a state is the set of what may still come, made when it is first reached and kept.
import { hasByte, type Node, repeat } from "./grammar.ts";

export type State = {
  /** The text may end here. */
  readonly isEnd: boolean;
  /** Nothing can follow. */
  readonly isFull: boolean;
};

export type Automaton = {
  start: State;
  /** How many states were made so far: each takes some kilobytes. */
  readonly size: number;
  /** Undefined: no text of the grammar goes on so. */
  step(state: State, byte: number): State | undefined;
};

/** What is still to be read: a node, then the rest. Equal ones are the same object. */
type Frame = { id: number; node: Node; rest: Frame | undefined };
type Known = State & {
  /** With a byte to be read first. */
  frames: readonly Frame[];
  /** By byte, once it was asked for; null: no way on. */
  next: (Known | null | undefined)[];
  /** The same by the frames that take the byte: most bytes are taken alike. */
  ways: Map<string, Known | null>;
};

/** Undefined for a grammar without any text. */
export function createAutomaton(grammar: Node): Automaton | undefined {
  const { push, intern, states } = createStore();

  /** Opens what is on top until it is a byte; undefined among the results: nothing is left to read. */
  function open(frame: Frame | undefined, into: Set<Frame | undefined>, seen: Set<Frame>): void {
    if (!frame) {
      into.add(undefined);
      return;
    }
    if (seen.has(frame)) return;
    seen.add(frame);
    const { node, rest } = frame;
    switch (node.is) {
      case "byte":
        into.add(frame);
        break;
      case "sequence":
        open(
          node.parts.reduceRight<Frame | undefined>((after, part) => push(part, after), rest),
          into,
          seen,
        );
        break;
      case "choice":
        for (const option of node.options) open(push(option, rest), into, seen);
        break;
      case "later":
        open(push(node.make(), rest), into, seen);
        break;
      case "repeat":
        if (node.least <= 0) open(rest, into, seen);
        if (node.most > 0) open(push(node.of, push(oneLess(node), rest)), into, seen);
        break;
    }
  }

  function stateOf(frames: Iterable<Frame | undefined>): Known | undefined {
    const opened = new Set<Frame | undefined>();
    const seen = new Set<Frame>();
    for (const frame of frames) open(frame, opened, seen);
    return opened.size > 0 ? intern(opened) : undefined;
  }

  function wayOn({ frames, ways }: Known, byte: number): Known | null {
    const taking = frames.filter(({ node }) => node.is === "byte" && hasByte(node.set, byte));
    const key = taking.map(({ id }) => id).join(" ");
    let way = ways.get(key);
    if (way === undefined) {
      way = (taking.length > 0 && stateOf(taking.map(({ rest }) => rest))) || null;
      ways.set(key, way);
    }
    return way;
  }

  const start = stateOf([push(grammar, undefined)]);
  if (!start) return undefined;
  return {
    start,
    get size() {
      return states.size;
    },
    step(state, byte) {
      // States are made here only.
      const known = state as Known;
      let next = known.next[byte];
      if (next === undefined) {
        next = wayOn(known, byte);
        known.next[byte] = next;
      }
      return next ?? undefined;
    },
  };
}

const fewer = new WeakMap<Node, Node>();
/** The same repetition after one of it; an endless one stays itself. */
function oneLess(node: Extract<Node, { is: "repeat" }>): Node {
  if (node.least <= 0 && node.most === Number.POSITIVE_INFINITY) return node;
  const known = fewer.get(node) ?? repeat(node.of, Math.max(0, node.least - 1), node.most - 1);
  fewer.set(node, known);
  return known;
}

/** Equal frames and equal states are kept once. */
function createStore() {
  const frames = new Map<string, Frame>();
  const states = new Map<string, Known>();
  return {
    states,
    push(node: Node, rest: Frame | undefined): Frame {
      const key = `${node.id} ${rest?.id ?? 0}`;
      const known = frames.get(key) ?? { id: frames.size + 1, node, rest };
      frames.set(key, known);
      return known;
    },
    intern(opened: ReadonlySet<Frame | undefined>): Known {
      const left = [...opened].flatMap((frame) => frame ?? []).toSorted((a, b) => a.id - b.id);
      const isEnd = opened.has(undefined);
      const key = `${isEnd} ${left.map(({ id }) => id).join(" ")}`;
      const known = states.get(key) ?? {
        isEnd,
        isFull: left.length === 0,
        frames: left,
        next: new Array(256),
        ways: new Map(),
      };
      states.set(key, known);
      return known;
    },
  };
}
