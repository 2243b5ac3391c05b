// How long the functions of a formatted source text are: from the line that opens one to the brace at its indentation.

/** `function f(...) {`, `... => {`, or a method; not `if (...) {` and its like. */
const OPENS =
  /(\bfunction\b.*\{|=> \{|^\s*(?:(?:static|async|get|set) |\*)*[\w#[\].]+\(.*\)(?:: .*)? \{|^\s*[})].*\)(?:: .*)? \{)$/;
const BLOCK = /^\s*(?:\} )?(?:if|else|for|while|switch|catch|try|do|with)\b/;

export function functionLengths(text: string): { name: string; lines: number }[] {
  const lines = text.split("\n");
  return lines.flatMap((line, start) => {
    if (!OPENS.test(line) || BLOCK.test(line)) return [];
    const indentation = /^\s*/.exec(line)?.[0] ?? "";
    const length = lines.slice(start + 1).findIndex((each) => each.startsWith(`${indentation}}`));
    return length < 0 ? [] : [{ name: line.trim().slice(0, 60), lines: length + 2 }];
  });
}
