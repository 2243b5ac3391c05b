// `forecourt runner` (hidden): the process that holds one loaded model; started by the server, never by hand.

/**
 * `bare-session ORDER` and `cold-read ORDER` are the benchmark's, everything else the server's.
 * Resolves to the exit code when the process shall end, which the caller must then do. Loads nothing of the server.
 */
export async function runner([task, order = ""]: string[]): Promise<number> {
  if (task === "bare-session") {
    const { runBareSession } = await import("../engine/runner/bare-session.ts");
    return await runBareSession(JSON.parse(order));
  }
  if (task === "cold-read") {
    const { coldRead } = await import("../engine/runner/cold-read.ts");
    const { folder, isTimed } = JSON.parse(order) as { folder: string; isTimed: boolean }; // by bench/swap-in.ts
    process.stdout.write(`${JSON.stringify(await coldRead(folder, isTimed))}\n`);
    return 0;
  }
  const { runRunnerProcess } = await import("../engine/runner/process.ts");
  return await runRunnerProcess();
}
