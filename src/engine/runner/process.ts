// Ties the runner's loop to its process: IPC with the server, and the end of one with the end of the other.
import { invariant } from "../../core/errors.ts";
import type { ToRunner } from "../protocol.ts";
import { closeNetwork } from "./close-network.ts";
import { dieWithParent } from "./libc.ts";
import { loadModel } from "./load.ts";
import { createOutgoing } from "./outgoing.ts";
import { prepare, readAhead } from "./prepare.ts";
import { createRunnerLoop, type ExitCode } from "./runner.ts";
import { tryDevice } from "./try-device.ts";

/** Resolves when the process shall end; the caller exits at once, without waiting for anything else. */
export async function runRunnerProcess(): Promise<ExitCode> {
  const channel = process.send?.bind(process);
  invariant(channel, "a runner is started by the server, with an IPC channel");
  if (process.platform === "linux") dieWithParent();

  const send = createOutgoing(
    (messages) =>
      new Promise<void>((resolve) => {
        // A server that is gone reads nothing; the disconnect then ends this process.
        channel(messages, undefined, undefined, () => resolve());
      }),
  );
  const loop = createRunnerLoop({ send, load: loadModel, tryDevice, prepare, readAhead });
  const { promise: disconnected, resolve: disconnect } = Promise.withResolvers<ExitCode>();
  process.on("disconnect", () => disconnect(0));
  process.on("uncaughtException", loop.fail);
  process.on("unhandledRejection", loop.fail);
  // The channel carries only what src/control/fleet sends, from the same executable.
  process.on("message", (message) => loop.receive(message as ToRunner));
  // Ctrl+C and service managers signal the whole group; when a runner ends is for the server to decide.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
  const obstacle = closeNetwork();
  void send({ type: "hello", pid: process.pid });
  if (obstacle !== undefined)
    void send({ type: "log", level: "warn", message: `This runner keeps its access to the network: ${obstacle}.` });
  return await Promise.race([loop.ended, disconnected]);
}
