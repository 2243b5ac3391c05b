// A secret that is shown this once: where it reaches nobody, what was made with it is taken back.
import { lostOutput } from "../failure.ts";

type Handing = {
  takeBack: () => unknown;
  /** What is then so, as the end of a sentence. */
  isTakenBack: string;
};

/** Resolves when the system has taken the text. Throws `unavailable` when it did not, a reader that was gone among the reasons. */
export async function handOver(text: string, { takeBack, isTakenBack }: Handing): Promise<void> {
  const lost = await new Promise<Error | null | undefined>((done) => process.stdout.write(`${text}\n`, done));
  if (!lost) return;
  try {
    takeBack();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw lostOutput(lost, `and what it was for stays: ${reason} Revoke the key, or rotate it once more`);
  }
  throw lostOutput(lost, isTakenBack);
}
