// Conversations that callers keep: on disk, in order, as long as finished jobs are; turns that do not begin are none.
import { beforeEach, describe, expect, test } from "bun:test";
import { conversationItemTable } from "../../../src/control/conversations/conversation.table.ts";
import { type Conversations, createConversations } from "../../../src/control/conversations/conversations.ts";
import type { Database } from "../../../src/control/database/open.ts";
import { newKeyId } from "../../../src/core/ids.ts";
import { bytes, instant, MIB } from "../../../src/core/units.ts";
import { reopenedDatabase } from "../../support/reopened-database.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";

const reopened = reopenedDatabase("conversations");

const DAY = 24 * 60 * 60 * 1000;
const item = (id: string) => ({ id, type: "message" });
const key = newKeyId();

let clock: TestClock;
beforeEach(() => {
  clock = createTestClock();
});
const open = (
  use: (conversations: Conversations, database: Database) => Promise<void>,
  { room = MIB, maxBytes = MIB } = {},
) =>
  reopened((database) =>
    use(createConversations({ database, clock, room: bytes(room), maxBytes: bytes(maxBytes) }), database),
  );

test("a conversation and a turn that is not over are there again after a restart", async () => {
  let id = "";
  await open(async (conversations) => {
    ({ id } = await conversations.create({ key, metadata: { team: "one" }, items: [item("a"), item("b")] }));
    await conversations.takeTurn(id, ["one", "two"], async () => "begun");
    await conversations.add(id, [item("z")]);
  });
  await open(async (conversations) => {
    expect(conversations.find(id)).toMatchObject({ id, key, metadata: { team: "one" } });
    expect(conversations.items(id).map((each) => each.id)).toEqual(["a", "b", "z"]);
    const [turn] = conversations.turns(id);
    expect(turn).toMatchObject({ asked: 2, isBeginning: false });
    if (turn) conversations.settle(id, turn, [item("c"), item("d")]);
    expect(conversations.items(id).map((each) => each.id)).toEqual(["a", "b", "c", "d", "z"]);
    expect(conversations.turns(id)).toEqual([]);
    await conversations.removeItem(id, "c");
    expect(conversations.items(id)).toHaveLength(4);
  });
});

test("a turn is known before its job is, and one that does not begin is none", async () => {
  await open(async (conversations) => {
    const { id } = await conversations.create({ key, metadata: {}, items: [] });
    const refused = conversations.takeTurn(id, ["one"], async (job) => {
      expect(conversations.turns(id)).toMatchObject([{ job, isBeginning: true }]);
      throw new Error("no room");
    });
    await expect(refused).rejects.toThrow("no room");
    expect(conversations.turns(id)).toEqual([]);
  });
});

test("what was said longer ago than jobs are kept is removed, and conversations in which nothing was said since", async () => {
  await open(async (conversations, database) => {
    const create = (items: { id: string }[]) => conversations.create({ key, metadata: {}, items });
    const [old, used] = [await create([item("a")]), await create([item("b")])];
    clock.advance(20 * DAY);
    await conversations.add(used.id, [item("c")]);
    await conversations.removeBefore(instant(clock.now() - 30 * DAY));
    expect(conversations.items(old.id)).toHaveLength(1);
    clock.advance(11 * DAY);
    await conversations.removeBefore(instant(clock.now() - 30 * DAY));
    expect(conversations.find(old.id)).toBeUndefined();
    expect(conversations.items(used.id)).toEqual([item("c")]);
    await conversations.remove(used.id);
    expect(database.orm.select().from(conversationItemTable).all()).toEqual([]);
  });
});

test("many items are removed in lots", async () => {
  await open(async (conversations, database) => {
    const items = Array.from({ length: 1200 }, (_, at) => item(`item${at}`));
    await conversations.create({ key, metadata: {}, items });
    clock.advance(31 * DAY);
    await conversations.removeBefore(instant(clock.now() - 30 * DAY));
    expect(database.orm.select().from(conversationItemTable).all()).toEqual([]);
  });
});

describe("the room of a key", () => {
  const text = (id: string, size: number) => ({ id, text: "x".repeat(size) });
  const full = { code: "room_full", details: { limit: 5000 } };

  test("is bounded by what it keeps, and has place again for what is deleted", async () => {
    await open(
      async (conversations) => {
        const { id } = await conversations.create({ key, metadata: {}, items: [text("a", 1000)] });
        const second = await conversations.create({ key, metadata: {}, items: [text("b", 1000)] });
        await expect(conversations.add(id, [text("c", 1500)])).rejects.toMatchObject(full);
        await expect(conversations.create({ key, metadata: {}, items: [text("d", 900)] })).rejects.toMatchObject(full);
        expect(conversations.items(id)).toHaveLength(1);
        await conversations.removeItem(second.id, "b");
        await conversations.add(id, [text("c", 1500)]);
        await conversations.create({ key: newKeyId(), metadata: {}, items: [text("e", 1000)] });
        await conversations.remove(id);
        await conversations.add(second.id, [text("f", 3000)]);
        await expect(conversations.update(second.id, { mark: "x".repeat(1000) })).rejects.toMatchObject(full);
        await conversations.update(second.id, { mark: "short" });
      },
      { room: 5000 },
    );
  });

  test("holds what a turn is asked until it is over, and takes what it said", async () => {
    await open(
      async (conversations) => {
        const { id } = await conversations.create({ key, metadata: {}, items: [] });
        const take = (size: number) => conversations.takeTurn(id, ["x".repeat(size)], async () => {});
        await expect(take(4500)).rejects.toMatchObject(full);
        await take(2500);
        await expect(conversations.add(id, [text("a", 1000)])).rejects.toMatchObject(full);
        const [turn] = conversations.turns(id);
        if (turn) conversations.settle(id, turn, [text("b", 100)]);
        expect(conversations.items(id)).toHaveLength(1);
        await conversations.add(id, [text("a", 1000)]);
        const failing = conversations.takeTurn(id, ["x".repeat(1000)], async () => {
          throw new Error("no device");
        });
        await expect(failing).rejects.toThrow("no device");
        await conversations.add(id, [text("c", 1000)]);
      },
      { room: 5000 },
    );
  });

  test("is empty again when all of it is too old", async () => {
    await open(
      async (conversations) => {
        for (let n = 0; n < 3; n++) {
          await conversations.create({ key, metadata: {}, items: [text("a", 3000)] });
          clock.advance(31 * DAY);
          await conversations.removeBefore(instant(clock.now() - 30 * DAY));
        }
      },
      { room: 5000 },
    );
  });

  test("a conversation is no larger than what is read at once", async () => {
    await open(
      async (conversations) => {
        const { id } = await conversations.create({ key, metadata: {}, items: [text("a", 1000)] });
        const tooLarge = { code: "payload_too_large", details: { limit: 4000 } };
        await expect(conversations.add(id, [text("b", 2000)])).rejects.toMatchObject(tooLarge);
        await expect(conversations.takeTurn(id, ["x".repeat(2000)], async () => {})).rejects.toMatchObject(tooLarge);
        await conversations.create({ key, metadata: {}, items: [text("b", 2000)] });
      },
      { maxBytes: 4000 },
    );
  });
});

test("a job tells the conversation that it went on from, also when it failed, as long as that is there", async () => {
  await open(async (conversations) => {
    const { id } = await conversations.create({ key, metadata: {}, items: [] });
    for (const said of [[item("a")], []]) {
      const job = await conversations.takeTurn(id, ["asked"], async (job) => job);
      expect(conversations.ofJob(job)).toBe(id);
      const [turn] = conversations.turns(id);
      if (turn) conversations.settle(id, turn, said);
      expect(conversations.ofJob(job)).toBe(id);
      expect(conversations.turns(id)).toEqual([]);
    }
    expect(conversations.findItem("a")).toEqual({ item: item("a"), conversation: id, key });
    const job = await conversations.takeTurn(id, ["asked"], async (job) => job);
    await conversations.remove(id);
    expect([conversations.ofJob(job), conversations.findItem("a")]).toEqual([undefined, undefined]);
    await expect(conversations.add(id, [item("b")])).rejects.toMatchObject({ code: "not_found" });
  });
});
