// `forecourt runner` (hidden): the process that holds one loaded model; started by the server, never by hand.

/**
 * Resolves to the exit code when the process shall end, which the caller must then do. Loads nothing of the server.
 */
export async function runner(): Promise<number> {
  const { runRunnerProcess } = await import("../engine/runner/process.ts");
  return await runRunnerProcess();
}
