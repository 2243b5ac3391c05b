// Messages to the server, those of one turn of the event loop together: each on its own would cost both processes a system call
// and the server a turn.
import type { FromRunner } from "../protocol.ts";

/** `deliver` resolves when the messages have left this process; so does what `createOutgoing` returns, for each message. */
export function createOutgoing(
  deliver: (messages: FromRunner[]) => Promise<void>,
): (message: FromRunner) => Promise<void> {
  let waiting: FromRunner[] = [];
  let delivered: Promise<void> | undefined;
  return (message) => {
    waiting.push(message);
    delivered ??= new Promise((resolve) => {
      setImmediate(() => {
        const messages = waiting;
        waiting = [];
        delivered = undefined;
        resolve(deliver(messages));
      });
    });
    return delivered;
  };
}
