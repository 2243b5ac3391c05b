// From the end of a job to a receiver that knows of it, whatever happens on the way.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { openDatabase } from "../../../src/control/database/open.ts";
import type { Resolver } from "../../../src/control/storage/pinned-address.ts";
import { ForecourtError } from "../../../src/core/errors.ts";
import { freePort } from "../../support/live-server.ts";
import { until as untilWithin } from "../../support/until.ts";
import { isSigned, startReceiver } from "../../support/webhook-receiver.ts";
import { createWebhookStage, PATIENCE_MS, signingKey } from "./webhook-stage.ts";

setDefaultTimeout(2 * PATIENCE_MS);

let held = new AsyncDisposableStack();
afterEach(async () => {
  await held.disposeAsync();
  held = new AsyncDisposableStack();
});

const stageOf = (...options: Parameters<typeof createWebhookStage>) => held.use(createWebhookStage(...options));
const receiverOf = (...options: Parameters<typeof startReceiver>) => held.use(startReceiver(...options));
const keys = [signingKey.publicKey];
const until = (condition: () => boolean) => untilWithin(condition, PATIENCE_MS);

/** A receiver below HTTP: what it writes is up to the test. */
async function rawReceiver(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  held.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the receiver does not listen");
  return `http://127.0.0.1:${address.port}/`;
}

describe("a job's end", () => {
  test("is told once, signed, to who asked for it", async () => {
    const receiver = receiverOf();
    const { running, finish, reached, clock, row, webhooks } = stageOf();
    const job = await running(`${receiver.origin}/hook`);
    expect(row(job)).toMatchObject({ status: "waiting", attempts: 0, origin: "https://box.example" });
    finish(job);
    await reached(job, "delivered", 1);
    const [told] = receiver.received;
    expect(receiver.received).toHaveLength(1);
    expect(JSON.parse(told?.body ?? "")).toEqual({ id: job.id, status: "done", origin: "https://box.example" });
    expect(told && isSigned(told, keys, clock.now())).toBe(true);
    expect(told?.headers.get("x-fal-webhook-user-id")).toBe(job.key);
    expect(row(job)).toMatchObject({ httpStatus: 200, reason: null, dueAt: null, settledAt: clock.now() });
    expect(webhooks.counters()).toEqual({
      sinceStart: { delivered: 1, failedAttempts: 0, dead: 0 },
      kept: { waiting: 0, pending: 0, dead: 0 },
    });
  });

  test("is told for failures, cancellations and refused input alike, and to nobody who did not ask", async () => {
    const receiver = receiverOf();
    const { running, submit, work, jobs, reached } = stageOf();
    const webhook = { url: receiver.origin, origin: "" };
    const silent = await submit();
    jobs.cancel(silent.id);
    const failed = await running(receiver.origin);
    work.fail(failed.id, { code: "runner_failed", message: "It broke." });
    const cancelled = await submit({ webhook });
    jobs.cancel(cancelled.id);
    const wrong = await submit({ webhook, input: { steps: "many" }, rejectInvalid: false });
    for (const job of [failed, cancelled, wrong]) await reached(job, "delivered", 1);
    const told = receiver.received.map(({ body }) => JSON.parse(body)).map(({ id, status }) => [id, status]);
    expect(told.sort()).toEqual(
      [
        [failed.id, "failed"],
        [cancelled.id, "cancelled"],
        [wrong.id, "failed"],
      ].sort(),
    );
  });

  test("begins no other: whose job is not over waits on", async () => {
    const receiver = receiverOf();
    const { running, finish, reached, row } = stageOf();
    const [over, open] = [await running(receiver.origin), await running(receiver.origin)];
    finish(over);
    await reached(over, "delivered", 1);
    expect(row(open)).toMatchObject({ status: "waiting", attempts: 0, dueAt: null });
    expect(receiver.received).toHaveLength(1);
    finish(open);
    await reached(open, "delivered", 1);
  });

  test("is not told before it is on disk", async () => {
    const receiver = receiverOf();
    const disk = Promise.withResolvers<void>();
    const database = openDatabase({ file: ":memory:" });
    let waits = 0;
    const committed = () => {
      waits++;
      return disk.promise;
    };
    const { running, finish, reached } = stageOf({ database, writes: { ...database, committed } });
    finish(await running(receiver.origin));
    const job = await running(receiver.origin);
    finish(job);
    await until(() => waits === 2);
    for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
    expect(receiver.received).toEqual([]);
    disk.resolve();
    await reached(job, "delivered", 1);
  });

  test("whose write was undone is told to nobody", async () => {
    const receiver = receiverOf();
    const { database, running, finish, reached, row, ledger, clock } = stageOf();
    const job = await running(receiver.origin);
    expect(() =>
      database.write(() => {
        ledger.store.end(
          job.id,
          { from: "running", runner: job.id as never },
          { status: "cancelled", at: clock.now() },
        );
        ledger.outbox.ended(job.id, clock.now());
        throw new Error("the disk is full");
      }),
    ).toThrow("full");
    expect(row(job).status).toBe("waiting");
    finish(job);
    await reached(job, "delivered", 1);
    expect(receiver.received).toHaveLength(1);
  });

  test("goes with its job when that is removed", async () => {
    const receiver = receiverOf();
    const { running, finish, reached, ledger, database, outboxStore } = stageOf();
    const job = await running(receiver.origin);
    finish(job);
    await reached(job, "delivered", 1);
    database.write(() => ledger.store.remove([job.id]));
    expect(outboxStore.row(job.id)).toBeUndefined();
  });

  test("waits in the outbox while no process can tell it", async () => {
    const receiver = receiverOf();
    const mute = stageOf({ body: undefined });
    const job = await mute.running(receiver.origin);
    mute.finish(job);
    await mute.database.committed();
    expect(mute.row(job)).toMatchObject({ status: "pending", attempts: 0 });
    const { reached } = stageOf({ after: mute });
    await reached(job, "delivered", 1);
  });
});

describe("a receiver that fails", () => {
  test("is tried again later and later, each time signed anew over the same body", async () => {
    const receiver = receiverOf((_, index) => new Response("", { status: index < 3 ? 503 : 200 }));
    const { running, finish, reached, clock, row } = stageOf();
    const job = await running(receiver.origin);
    finish(job);
    for (const [attempts, wait] of [
      [1, 5_000],
      [2, 10_000],
      [3, 20_000],
    ] as const) {
      await reached(job, "pending", attempts);
      expect(row(job)).toMatchObject({
        httpStatus: 503,
        reason: "the receiver answered 503",
        dueAt: clock.now() + wait,
      });
      clock.advance(wait - 1);
      expect(receiver.received).toHaveLength(attempts);
      expect(isSigned(receiver.received[attempts - 1] as never, keys, clock.now())).toBe(true);
      clock.advance(1);
    }
    await reached(job, "delivered", 4);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    const stamps = receiver.received.map(({ headers }) => Number(headers.get("x-fal-webhook-timestamp")));
    expect(stamps.map((stamp) => stamp - (stamps[0] ?? 0))).toEqual([0, 5, 15, 35]);
  });

  test("is given up after 31 attempts, with a line in the log and a reason for the admin; a replay begins anew", async () => {
    let isBroken = true;
    const receiver = receiverOf(() => new Response("", { status: isBroken ? 500 : 204 }));
    const { running, finish, reached, clock, row, webhooks, logged } = stageOf();
    const job = await running(receiver.origin);
    finish(job);
    for (let attempts = 1; attempts < 31; attempts++) {
      await reached(job, "pending", attempts);
      clock.advance((row(job).dueAt ?? 0) - clock.now());
    }
    await reached(job, "dead", 31);
    expect(receiver.received).toHaveLength(31);
    expect(webhooks.list({ status: "dead", limit: 10 })).toMatchObject([{ job: job.id, httpStatus: 500, dueAt: null }]);
    expect(logged.filter(({ level }) => level === "warn")).toMatchObject([
      { message: "webhook given up", requestId: job.id, attempts: 31, reason: "the receiver answered 500" },
    ]);
    expect(webhooks.counters().sinceStart).toEqual({ delivered: 0, failedAttempts: 31, dead: 1 });

    isBroken = false;
    expect(await webhooks.replay(job.id)).toMatchObject({ status: "pending", attempts: 0 });
    await reached(job, "delivered", 1);
  });

  test("is replayed alone, and only when its job is over; all are listed, the latest first", async () => {
    const receiver = receiverOf(() => new Response("", { status: 301 }));
    const { running, finish, reached, row, webhooks } = stageOf();
    const [first, second] = [await running(receiver.origin), await running(receiver.origin)];
    for (const job of [first, second]) {
      finish(job);
      await reached(job, "dead", 1);
    }
    await webhooks.replay(first.id);
    await until(() => receiver.received.length === 3);
    await reached(first, "dead", 1);
    expect(row(second)).toMatchObject({ status: "dead", attempts: 1 });
    const open = await running(receiver.origin);
    await expect(webhooks.replay(open.id)).rejects.toMatchObject({ code: "bad_request" });
    expect(row(open).status).toBe("waiting");
    const listed = (page: Parameters<typeof webhooks.list>[0]) => webhooks.list(page).map(({ job }) => job);
    expect(listed({ limit: 2 })).toEqual([open.id, second.id]);
    expect(listed({ limit: 9, before: second.id })).toEqual([first.id]);
    expect(listed({ limit: 9, status: "dead" })).toEqual([second.id, first.id]);
  });

  test("is given up when the result will be removed before the next attempt", async () => {
    const receiver = receiverOf(() => new Response("", { status: 500 }));
    const { running, finish, reached, clock } = stageOf({ retention: 12_000 as never });
    const job = await running(receiver.origin);
    finish(job);
    await reached(job, "pending", 1);
    clock.advance(5_000);
    await reached(job, "dead", 2);
  });

  test.each([301, 302, 303, 307, 308])("and answers %d is not followed and not asked again", async (status) => {
    const elsewhere = receiverOf();
    const receiver = receiverOf(() => new Response("", { status, headers: { location: elsewhere.origin } }));
    const { running, finish, reached, row } = stageOf();
    const job = await running(receiver.origin);
    finish(job);
    await reached(job, "dead", 1);
    expect(row(job)).toMatchObject({ httpStatus: status, reason: expect.stringContaining("redirects") });
    expect(elsewhere.received).toEqual([]);
  });

  test("because nobody listens is tried again", async () => {
    const port = await freePort();
    const { running, finish, reached, row } = stageOf();
    const job = await running(`http://127.0.0.1:${port}/`);
    finish(job);
    await reached(job, "pending", 1);
    expect(row(job)).toMatchObject({ httpStatus: null, reason: expect.any(String) });
  });

  test("has 15 seconds for the first answer and 120 for later ones", async () => {
    const open: Socket[] = [];
    const url = await rawReceiver((socket) => open.push(socket));
    const { running, finish, reached, clock, row } = stageOf();
    const job = await running(url);
    finish(job);
    await until(() => open.length === 1);
    clock.advance(15_000);
    await reached(job, "pending", 1);
    expect(row(job).reason).toBe("no answer within 15 seconds");
    clock.advance(5_000);
    await until(() => open.length === 2);
    clock.advance(119_000);
    expect(row(job).attempts).toBe(1);
    clock.advance(1_000);
    await reached(job, "pending", 2);
    expect(row(job).reason).toBe("no answer within 120 seconds");
  });

  test("reads the answer to its end before it closes the connection, and closes it then", async () => {
    const open: Socket[] = [];
    let closed = 0;
    const url = await rawReceiver((socket) => {
      open.push(socket);
      socket.resume().on("close", () => closed++);
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab");
    });
    const { running, finish, reached, row } = stageOf();
    const job = await running(url);
    finish(job);
    await until(() => open.length === 1);
    for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate);
    expect([row(job).status, closed]).toEqual(["pending", 0]);
    open[0]?.write("cd");
    await reached(job, "delivered", 1);
    await until(() => closed === 1);
  });

  test("keeps its verdict when its answer never ends: without end in size", async () => {
    const url = await rawReceiver((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    });
    const { running, finish, reached } = stageOf();
    const job = await running(url);
    finish(job);
    await reached(job, "delivered", 1);
  });

  test("keeps its verdict when its answer never ends: without end in time", async () => {
    const open: Socket[] = [];
    const url = await rawReceiver((socket) => {
      open.push(socket);
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab");
    });
    const { running, finish, reached, clock, row } = stageOf();
    const job = await running(url);
    finish(job);
    await until(() => open.length === 1);
    for (let seconds = 0; seconds < 16 && row(job).status === "pending"; seconds++) {
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await reached(job, "delivered", 1);
  });
});

describe("addresses", () => {
  const named = (address: string): { resolver: Resolver; asked: string[] } => {
    const asked: string[] = [];
    return {
      asked,
      resolver: async (host) => {
        asked.push(host);
        return [{ address, family: address.includes(":") ? 6 : 4 }];
      },
    };
  };

  test.each(["10.0.0.9", "169.254.169.254", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.9"])(
    "a name that leads to %s is given up without a connection",
    async (address) => {
      const { resolver } = named(address);
      const { running, finish, reached, row } = stageOf({ resolver });
      const job = await running("http://hooks.example/");
      finish(job);
      await reached(job, "dead", 1);
      expect(row(job).reason).toContain("hooks.example is not a public address");
    },
  );

  test("a name is asked for once in each attempt, and the connection goes where the answer was judged", async () => {
    const receiver = receiverOf();
    const { resolver, asked } = named("127.0.0.1");
    const { running, finish, reached } = stageOf({ resolver });
    const job = await running(`http://hooks.example:${new URL(receiver.origin).port}/in`);
    finish(job);
    await reached(job, "delivered", 1);
    expect(asked).toEqual(["hooks.example"]);
    expect(receiver.received[0]?.headers.get("host")).toStartWith("hooks.example:");
  });

  test("a name server that is silent costs an attempt, not the sender", async () => {
    let asked = 0;
    const resolver: Resolver = () => {
      asked++;
      return new Promise(() => {});
    };
    const { running, finish, reached, clock } = stageOf({ resolver });
    const job = await running("http://hooks.example/");
    finish(job);
    await until(() => asked === 1);
    clock.advance(15_000);
    await reached(job, "pending", 1);
  });
});

describe("many at once", () => {
  test("receivers that hang hold eight places each; the others are served", async () => {
    const open: Socket[] = [];
    const hanging = await rawReceiver((socket) => open.push(socket));
    const receiver = receiverOf();
    const { running, finish, reached, clock } = stageOf();
    for (let n = 0; n < 20; n++) finish(await running(hanging));
    const other = await running(receiver.origin);
    finish(other);
    await reached(other, "delivered", 1);
    expect(open).toHaveLength(8);
    clock.advance(15_000);
    await until(() => open.length === 16);
  });

  test("a key whose receivers hang has half of the places, several leave some for others too, and no more than 32 are taken", async () => {
    const open: Socket[] = [];
    const urls = await Promise.all(Array.from({ length: 5 }, () => rawReceiver((socket) => open.push(socket))));
    const receiver = receiverOf();
    const { running, finish, reached, clock } = stageOf();
    const hang = async (key: string) => {
      for (const url of urls) for (let n = 0; n < 8; n++) finish(await running(url, key));
    };
    const delivered = async (key: string) => {
      const job = await running(receiver.origin, key);
      finish(job);
      await reached(job, "delivered", 1);
    };
    await hang("first");
    await until(() => open.length === 16);
    await delivered("other");
    await hang("second");
    // Half of what the first one left: it began before the second came.
    await until(() => open.length === 24);
    await delivered("other");
    expect(open).toHaveLength(24);
    clock.advance(15_000);
    await until(() => open.length >= 40);
    await delivered("other");
  });

  test("a crowd reaches its receiver, each once", async () => {
    const receiver = receiverOf();
    const { running, finish, reached } = stageOf();
    const jobs = await Promise.all(Array.from({ length: 100 }, () => running(receiver.origin)));
    for (const job of jobs) finish(job);
    for (const job of jobs) await reached(job, "delivered", 1);
    const told = receiver.received.map(({ headers }) => headers.get("x-fal-webhook-request-id"));
    expect(told.sort()).toEqual(jobs.map(({ id }): string => id).sort());
  });
});

describe("the process", () => {
  test("stops in the midst of an attempt, which the next one makes again", async () => {
    const open: Socket[] = [];
    const url = await rawReceiver((socket) => {
      open.push(socket);
      if (open.length > 1) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    const first = stageOf();
    const job = await first.running(url);
    first.finish(job);
    await until(() => open.length === 1);
    await first.webhooks.stop();
    expect(first.row(job)).toMatchObject({ status: "pending", attempts: 0 });
    const { reached } = stageOf({ after: first });
    await reached(job, "delivered", 1);
  });

  test("that cannot write an outcome down does not send on and on", async () => {
    const receiver = receiverOf();
    const first = stageOf({ body: undefined });
    const job = await first.running(receiver.origin);
    first.finish(job);
    await first.database.committed();
    let isFull = true;
    const { database } = first;
    const { reached, logged, clock } = stageOf({
      after: first,
      writes: {
        ...database,
        write: (work) => {
          if (isFull) throw new ForecourtError("unavailable", "The database could not be written.");
          return database.write(work);
        },
      },
    });
    await until(() => logged.some(({ level }) => level === "error"));
    clock.advance(29_999);
    expect(receiver.received).toHaveLength(1);
    isFull = false;
    clock.advance(1);
    await reached(job, "delivered", 1);
    expect(receiver.received).toHaveLength(2);
  });

  test("whose body cannot be made counts that as a failed attempt and says so", async () => {
    const { running, finish, reached, row, logged } = stageOf({
      body: () => {
        throw new Error("a bug");
      },
    });
    const job = await running("http://127.0.0.1:9/");
    finish(job);
    await reached(job, "pending", 1);
    expect(row(job).reason).toContain("internal error");
    expect(logged).toMatchObject([{ level: "error", error: "Error: a bug" }]);
  });

  test("goes on after the clock was set back by a year, and gives nothing up for one that was set forward", async () => {
    const receiver = receiverOf((_, index) => new Response("", { status: index < 2 ? 503 : 200 }));
    const { running, finish, reached, row, clock } = stageOf();
    const YEAR = 365 * 24 * 60 * 60_000;
    const job = await running(receiver.origin);
    finish(job);
    await reached(job, "pending", 1);
    clock.jump(YEAR);
    clock.advance(5_000);
    await reached(job, "pending", 2);
    expect(row(job).dueAt).toBe(clock.now() + 10_000);
    clock.jump(-YEAR);
    clock.advance(60_000);
    await reached(job, "delivered", 3);
  });

  test("looks again each minute, whatever it was told", async () => {
    const receiver = receiverOf();
    const { database, running, finish, reached, row, clock } = stageOf();
    const job = await running(receiver.origin);
    finish(job);
    await reached(job, "delivered", 1);
    database.sqlite.run("UPDATE webhook_delivery SET status = 'pending', due_at = 0, attempts = 0");
    expect(row(job).status).toBe("pending");
    clock.advance(60_000);
    await reached(job, "delivered", 1);
    expect(receiver.received).toHaveLength(2);
  });
});
