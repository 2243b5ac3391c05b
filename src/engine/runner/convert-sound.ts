// Reads sound files that we have no decoder for by ffmpeg, where the machine has it.
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The program's path; undefined where it is not installed. */
export const findConverter = () => Bun.which("ffmpeg") ?? undefined;

/** `rate`: what the sound is resampled to; absent: none. */
type Conversion = { longestSeconds: number; rate?: number };

/** Gives a WAV file of one channel. `folder` is for the file while it is read: its index may be at its end. */
export function soundConverter({ program, folder }: { program: string; folder: string }) {
  return async (bytes: Uint8Array, { longestSeconds, rate }: Conversion): Promise<Uint8Array | undefined> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `.${randomUUID()}`);
    await writeFile(path, bytes, { mode: 0o600 });
    try {
      // The file alone is opened, no playlist's URLs; one second too long is enough to be refused.
      const only = ["-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"];
      const rates = rate === undefined ? [] : ["-ar", String(rate)];
      const format = ["-ac", "1", ...rates, "-c:a", "pcm_s16le", "-f", "wav", "pipe:1"];
      const wanted = ["-vn", "-t", String(longestSeconds + 1), ...format];
      await using child = Bun.spawn([program, ...only, "-i", path, ...wanted], {
        stdio: ["ignore", "pipe", "ignore"],
        timeout: 120_000,
      });
      const converted = await new Response(child.stdout).bytes();
      return (await child.exited) === 0 ? converted : undefined;
    } finally {
      await rm(path, { force: true });
    }
  };
}
