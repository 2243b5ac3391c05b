// Keeps an answer within a grammar: tells which tokens may follow, and follows those that are taken.
import { ForecourtError } from "../../../core/errors.ts";
import type { LanguageTokenizer, Token } from "../../text/language-tokenizer.ts";
import type { Bounds, Mask } from "../sample.ts";
import { type Automaton, createAutomaton, type State } from "./automaton.ts";
import type { Node } from "./grammar.ts";
import { createVocabularyTrie, type VocabularyTrie } from "./vocabulary-trie.ts";

/** Tokens that end an answer are allowed only where the text may end. */
export type Constraint = Bounds & {
  take(token: Token): void;
  /** The text is whole and nothing can follow. */
  readonly isFull: boolean;
};

export type Constraints = {
  /** `key`: equal ones have equal grammars, which are made once. */
  begin(key: string, grammar: () => Node): Constraint;
};

type Kept = { automaton: Automaton; masks: Map<State, Mask> };

/** Grammars, and masks of each; a mask of a vocabulary of 128,000 takes 16 kB. */
const MOST_GRAMMARS = 16;
const MOST_MASKS = 512;
/** A grammar that contains itself has states without end; one with more than these is made anew for the next answer. */
const MOST_STATES = 4096;

export function createConstraints(tokenizer: LanguageTokenizer, ends: ReadonlySet<number>): Constraints {
  const grammars = new Map<string, Kept>();
  let trie: VocabularyTrie | undefined;
  return {
    begin(key, grammar) {
      trie ??= createVocabularyTrie(tokenizer);
      const known = grammars.get(key);
      const isGood = known !== undefined && known.automaton.size <= MOST_STATES;
      const kept = isGood ? known : { automaton: opened(grammar()), masks: new Map() };
      keepRecent(grammars, { key, value: kept, most: MOST_GRAMMARS });
      return follow(kept, { trie, ends, tokenizer });
    },
  };
}

function opened(grammar: Node): Automaton {
  const automaton = createAutomaton(grammar);
  if (!automaton) throw new Error("a grammar without texts");
  return automaton;
}

type Vocabulary = { trie: VocabularyTrie; ends: ReadonlySet<number>; tokenizer: LanguageTokenizer };

function follow({ automaton, masks }: Kept, { trie, ends, tokenizer }: Vocabulary): Constraint {
  let state = automaton.start;
  const maskOf = (at: State) => {
    const mask = trie.allowed(automaton, at);
    if (at.isEnd) for (const end of ends) mask[end >>> 5] = (mask[end >>> 5] ?? 0) | (1 << (end & 31));
    return mask;
  };
  const after = (bytes: Uint8Array) => {
    let at: State | undefined = state;
    for (const byte of bytes) at = at && automaton.step(at, byte);
    return at;
  };
  return {
    get isFull() {
      return state.isFull;
    },
    allows(id) {
      if (ends.has(id)) return state.isEnd;
      const { bytes, isSpecial } = tokenizer.token(id);
      return !isSpecial && bytes.length > 0 && after(bytes) !== undefined;
    },
    mask() {
      const mask = masks.get(state) ?? maskOf(state);
      keepRecent(masks, { key: state, value: mask, most: MOST_MASKS });
      if (mask.every((word) => word === 0))
        throw new ForecourtError(
          "runner_failed",
          "This model's vocabulary cannot write what the answer must look like",
        );
      return mask;
    },
    take({ bytes }) {
      const next = after(bytes);
      if (!next) throw new Error("a token was taken that the grammar does not allow");
      state = next;
    },
  };
}

/** The one not asked for the longest goes first. */
function keepRecent<Key, Value>(kept: Map<Key, Value>, { key, value, most }: { key: Key; value: Value; most: number }) {
  kept.delete(key);
  kept.set(key, value);
  const [oldest] = kept.keys();
  if (kept.size > most && oldest !== undefined) kept.delete(oldest);
}
