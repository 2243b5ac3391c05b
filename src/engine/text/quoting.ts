// Tells words that were typed from the marks of a conversation's structure: who types a mark's name says its letters.

/** Noncharacters, which no text of people has. One who types them all the same gets them back; see `quoted`. */
const [OPENING, CLOSING] = ["\uFDD0", "\uFDD1"];
const SEAM = OPENING + CLOSING;

/** Templates look for these in messages, so they stay as they are. */
const READ = /^<\/?(?:think|tool_response)>$/;

type Library = { pre_tokenizer: ((text: string, options?: object) => string[]) | null };

/** For one tokenizer; `names`: of its tokens that mark structure. */
export function quoting(names: readonly string[]) {
  const marks = names.filter((name) => name.length > 1 && !READ.test(name));
  const begun = marks.length > 0 ? firstOf(marks) : undefined;
  const beginnings = new Set(marks.flatMap((mark) => Array.from(mark, (_, at) => mark.slice(0, at + 1))));
  const longest = Math.max(0, ...marks.map((mark) => mark.length));

  /** What follows, from another text, might complete a name. */
  const endsWithin = (text: string) =>
    Array.from({ length: longest }, (_, at) => text.slice(-at - 1)).some((end) => beginnings.has(end));

  return {
    /** A seam within each name; a seam that was typed has one within it, so that taking seams out brings back the text. */
    quoted(text: string): string {
      if (!begun) return text;
      const seamed = text.replaceAll(SEAM, OPENING + SEAM + CLOSING).replace(begun, (letter) => letter + SEAM);
      return endsWithin(text) ? seamed + SEAM : seamed;
    },
    unquoted,
    /** The library looks for names in a text, then splits what is left into words: there the seams have done their work. */
    unquoting<Opened extends { pre_tokenizer: unknown }>(library: Opened): Opened {
      const opened = library as Library;
      const split = opened.pre_tokenizer;
      opened.pre_tokenizer = (text, options) => {
        const words = unquoted(text);
        return words === "" ? [] : (split?.(words, options) ?? [words]);
      };
      return library;
    },
  };
}

const unquoted = (text: string) => text.replaceAll(SEAM, "");

/** The first letter of each name, of those that overlap too. Long texts are passed over by first letters alone. */
function firstOf(marks: readonly string[]): RegExp {
  const letters = [...new Set(marks.map(([letter = ""]) => RegExp.escape(letter)))].join("|");
  return new RegExp(`(?=${letters})(?=${marks.map(RegExp.escape).join("|")})[^]`, "gu");
}
