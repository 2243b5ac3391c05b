// A TCP line to a server on loopback that a test can slow down, hold, and let go on: what lies between a box and its store.
import { connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

export type Trouble =
  | "none"
  /** Connections are taken, and nothing goes through any of them. */
  | "silent"
  /** So many bytes a second of each connection, each way. */
  | { bytesPerSecond: number };

export type TroubledLine = {
  port: number;
  /** From now on, also for connections that are open. */
  suffer(trouble: Trouble): void;
  /** Connections that are open on this side. */
  open(): number;
  [Symbol.asyncDispose](): Promise<void>;
};

const TICK_MS = 20;

export async function startTroubledLine(to: number): Promise<TroubledLine> {
  const open = new Set<Socket>();
  let trouble: Trouble = "none";
  let changed = Promise.withResolvers<void>();

  const throttle = () =>
    new Transform({
      async transform(chunk: Buffer, _, done) {
        for (let at = 0; at < chunk.length; ) {
          while (trouble === "silent") await changed.promise;
          const some = trouble === "none" ? chunk.length : Math.max(1, (trouble.bytesPerSecond * TICK_MS) / 1000);
          if (trouble !== "none") await Bun.sleep(TICK_MS); // the pace of the line
          this.push(chunk.subarray(at, Math.floor(at + some)));
          at += Math.floor(some);
        }
        done();
      },
    });
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    open.add(near);
    near.once("close", () => open.delete(near));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => other.destroy());
      one.once("close", () => other.destroy());
      one.pipe(throttle()).pipe(other);
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the line has no port");
  return {
    port: address.port,
    suffer(next) {
      trouble = next;
      changed.resolve();
      changed = Promise.withResolvers();
    },
    open: () => open.size,
    async [Symbol.asyncDispose]() {
      trouble = "none";
      changed.resolve();
      for (const socket of open) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
