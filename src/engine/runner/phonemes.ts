// How texts are pronounced, by the program espeak-ng: a process of its own, where the machine has it.
import { ForecourtError } from "../../core/errors.ts";

const PROGRAM = "espeak-ng";
/** A text of some thousand letters takes milliseconds. */
const LONGEST_MS = 30_000;

/** See Assets. Throws `misconfigured` where the program is not installed, and `runner_failed` where it fails. */
export async function phonemesOf(texts: readonly string[], language: string): Promise<string[]> {
  const program = Bun.which(PROGRAM);
  if (!program) throw notInstalled();
  const plain = texts.map((text) => text.replace(/\s+/g, " ").trim());
  if (plain.length === 0) return [];
  const lines = await linesFrom(program, { text: paragraphs(plain), language });
  if (lines.length === plain.length) return lines;
  // It cut a long one, or had nothing to say about one: each by itself then.
  const each: string[] = [];
  for (const text of plain) each.push((await linesFrom(program, { text: paragraphs([text]), language })).join(" "));
  return each;
}

/** It gives a line for each. */
const paragraphs = (texts: readonly string[]) => texts.map((text) => `${text}\n\n`).join("");

async function linesFrom(program: string, { text, language }: { text: string; language: string }): Promise<string[]> {
  await using child = Bun.spawn([program, "-q", "--ipa", "--tie=^", "-v", language, "--stdin"], {
    stdio: [new TextEncoder().encode(text), "pipe", "ignore"],
    timeout: LONGEST_MS,
  });
  const said = await new Response(child.stdout).text();
  const code = await child.exited;
  if (code !== 0) throw new ForecourtError("runner_failed", `${PROGRAM} ended with ${code} (language ${language})`);
  return said
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function notInstalled(): ForecourtError {
  const message = `This model speaks by phonemes, which the program ${PROGRAM} finds; it is not installed on this box. Install it (Debian, Ubuntu: apt install espeak-ng; Fedora: dnf install espeak-ng; Arch: pacman -S espeak-ng) and ask again: nothing else has to be restarted.`;
  return new ForecourtError("misconfigured", message, { details: { program: PROGRAM } });
}
