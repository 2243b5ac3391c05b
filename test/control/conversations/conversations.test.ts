// Conversations that callers keep: on disk, in order, as long as finished jobs are; turns that do not begin are none.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conversationItemTable } from "../../../src/control/conversations/conversation.table.ts";
import { type Conversations, createConversations } from "../../../src/control/conversations/conversations.ts";
import { type Database, openDatabase } from "../../../src/control/database/open.ts";
import { newKeyId } from "../../../src/core/ids.ts";
import { instant } from "../../../src/core/units.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-conversations-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DAY = 24 * 60 * 60 * 1000;
const item = (id: string) => ({ id, type: "message" });
const key = newKeyId();

let file: string;
let clock: TestClock;
let count = 0;
beforeEach(() => {
  clock = createTestClock();
  file = join(folder, `${count++}.sqlite`);
});
const open = (use: (conversations: Conversations, database: Database) => Promise<void>) => {
  const database = openDatabase({ file });
  const conversations = createConversations({ database, clock });
  return use(conversations, database).finally(() => database[Symbol.dispose]());
};

test("a conversation and a turn that is not over are there again after a restart", async () => {
  let id = "";
  await open(async (conversations) => {
    ({ id } = await conversations.create({ key, metadata: { team: "one" }, items: [item("a"), item("b")] }));
    await conversations.takeTurn(id, 2, async () => "begun");
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
    const refused = conversations.takeTurn(id, 1, async (job) => {
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
