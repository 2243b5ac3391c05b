// Cuts a text into pieces that a voice can speak at once.

/** Sentences; long ones are cut at commas, then at spaces. Pieces have at most `longest` letters and are not empty. */
export function sentencesOf(text: string, longest: number): string[] {
  const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });
  return text
    .split(/\n+/)
    .flatMap((line) => whole(Array.from(segmenter.segment(line), ({ segment }) => segment)))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "")
    .flatMap((sentence) => cutText(sentence, longest));
}

/** After these a sentence goes on, whatever Unicode's rules say. */
const ABBREVIATION = /(^|\s)(Mr|Mrs|Ms|Dr|Prof|St|vs|e\.g|i\.e)\.\s*$/;

function whole(segments: readonly string[]): string[] {
  const joined: string[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (last !== undefined && ABBREVIATION.test(last)) joined[joined.length - 1] = last + segment;
    else joined.push(segment);
  }
  return joined;
}

/** At commas where there are some, else at spaces, else anywhere. */
export function cutText(sentence: string, longest: number): string[] {
  if (sentence.length <= longest) return [sentence];
  const room = sentence.slice(0, longest);
  const comma = Math.max(...[",", ";", ":", "—"].map((mark) => room.lastIndexOf(`${mark} `)));
  const space = room.lastIndexOf(" ");
  const end = comma > 0 ? comma + 1 : space > 0 ? space : longest;
  return [sentence.slice(0, end).trim(), ...cutText(sentence.slice(end).trim(), longest)].filter((each) => each !== "");
}
