// A vocabulary as a tree of bytes: what a state lets follow is found for all tokens in one walk.
import type { LanguageTokenizer } from "../../text/language-tokenizer.ts";
import type { Mask } from "../sample.ts";
import type { Automaton, State } from "./automaton.ts";

export type VocabularyTrie = {
  /** Which tokens may follow; those that mark structure never do. */
  allowed(automaton: Automaton, state: State): Mask;
};

/** Flat: the children of a node lie in a row. */
type Tree = { bytes: Uint8Array; tokens: Int32Array[]; firstChild: Int32Array; children: Int32Array };

export function createVocabularyTrie(tokenizer: Pick<LanguageTokenizer, "size" | "token">): VocabularyTrie {
  const tree = plant(tokenizer);
  return {
    allowed(automaton, state) {
      const mask = new Uint32Array(Math.ceil(tokenizer.size / 32));
      walk({ tree, automaton, mask }, 0, state);
      return mask;
    },
  };
}

type Walk = { tree: Tree; automaton: Automaton; mask: Mask };

function walk(around: Walk, node: number, state: State): void {
  const { tree, automaton, mask } = around;
  const first = tree.firstChild[node] ?? 0;
  for (let child = first; child < first + (tree.children[node] ?? 0); child++) {
    const next = automaton.step(state, tree.bytes[child] ?? 0);
    if (!next) continue;
    for (const token of tree.tokens[child] ?? NONE) mask[token >>> 5] = (mask[token >>> 5] ?? 0) | (1 << (token & 31));
    walk(around, child, next);
  }
}

const NONE = new Int32Array();

type Branch = { byte: number; tokens: number[]; branches: Map<number, Branch> };

function plant({ size, token: tokenOf }: Pick<LanguageTokenizer, "size" | "token">): Tree {
  const root: Branch = { byte: 0, tokens: [], branches: new Map() };
  let nodes = 1;
  for (let id = 0; id < size; id++) {
    const { bytes, isSpecial } = tokenOf(id);
    if (isSpecial || bytes.length === 0) continue;
    let at = root;
    for (const byte of bytes) {
      const next = at.branches.get(byte) ?? { byte, tokens: [], branches: new Map() };
      if (!at.branches.has(byte)) nodes++;
      at.branches.set(byte, next);
      at = next;
    }
    at.tokens.push(id);
  }
  return flatten(root, nodes);
}

function flatten(root: Branch, nodes: number): Tree {
  const tree: Tree = {
    bytes: new Uint8Array(nodes),
    tokens: [],
    firstChild: new Int32Array(nodes),
    children: new Int32Array(nodes),
  };
  const level: Branch[] = [root];
  // Breadth first: a node's children are appended together. The list grows while it is read.
  for (let at = 0; at < level.length; at++) {
    const { byte, tokens, branches } = level[at] ?? root;
    tree.bytes[at] = byte;
    tree.tokens.push(tokens.length > 0 ? Int32Array.from(tokens) : NONE);
    tree.firstChild[at] = level.length;
    tree.children[at] = branches.size;
    for (const branch of branches.values()) level.push(branch);
  }
  return tree;
}
