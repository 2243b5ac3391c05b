// Cuts a text into pieces that a voice can speak at once.

/** Sentences; long ones are cut at commas, then at spaces. Pieces have at most `longest` letters and are not empty. */
export function sentencesOf(text: string, longest: number): string[] {
  const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });
  return text
    .split(/\n+/)
    .flatMap((line) => Array.from(segmenter.segment(line), ({ segment }) => segment.trim()))
    .filter((sentence) => sentence !== "")
    .flatMap((sentence) => cut(sentence, longest));
}

function cut(sentence: string, longest: number): string[] {
  if (sentence.length <= longest) return [sentence];
  const room = sentence.slice(0, longest);
  const comma = Math.max(...[",", ";", ":", "—"].map((mark) => room.lastIndexOf(`${mark} `)));
  const space = room.lastIndexOf(" ");
  const end = comma > 0 ? comma + 1 : space > 0 ? space : longest;
  return [sentence.slice(0, end).trim(), ...cut(sentence.slice(end).trim(), longest)].filter((each) => each !== "");
}
