// Which setting may be meant by a name that is none.

/** Those that are written much alike, in whatever group. */
export function nearestNames(name: string, known: readonly string[]): string[] {
  const last = bare(lastPart(name));
  const like = (is: (other: string) => boolean) => known.filter((each) => is(bare(lastPart(each))));
  const ways = [
    like((other) => other === last),
    like((other) => last.length > 3 && other.includes(last)),
    like((other) => last.length > 2 && isSlip(other, last)),
  ];
  return ways.find((names) => names.length > 0) ?? [];
}

/** One letter too many, too few or another, or two that changed places. */
function isSlip(word: string, typed: string): boolean {
  let at = 0;
  while (at < word.length && word[at] === typed[at]) at++;
  const [wordRest, typedRest] = [word.slice(at), typed.slice(at)];
  const isSwap = wordRest[0] === typedRest[1] && wordRest[1] === typedRest[0];
  return [
    [wordRest.slice(1), typedRest.slice(1)],
    [wordRest.slice(1), typedRest],
    [wordRest, typedRest.slice(1)],
    ...(isSwap ? [[wordRest.slice(2), typedRest.slice(2)]] : []),
  ].some(([a, b]) => a === b);
}

const lastPart = (name: string) => name.slice(name.lastIndexOf(".") + 1);
const bare = (word: string) => word.replaceAll(/[_-]/g, "").toLowerCase();
