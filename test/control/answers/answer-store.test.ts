import { beforeEach, describe, expect, test } from "bun:test";
import { answerTable } from "../../../src/control/answers/answer.table.ts";
import { type Answers, createAnswers } from "../../../src/control/answers/answer-store.ts";
import type { Database } from "../../../src/control/database/open.ts";
import { milliseconds } from "../../../src/core/units.ts";
import { reopenedDatabase } from "../../support/reopened-database.ts";
import { createTestClock, type TestClock } from "../../support/test-clock.ts";

const reopened = reopenedDatabase("answers");
const asked = { about: "caller POST v1/keys once", content: '{"alias":"a"}' };
const answer = { status: 201, body: '{"key":"id:secret"}', contentType: "application/json" };
const secret = Buffer.alloc(32, 7);

let clock: TestClock;
beforeEach(() => {
  clock = createTestClock();
});
const open = (use: (answers: Answers, database: Database) => Promise<void>, withSecret = secret) =>
  reopened((database) =>
    use(createAnswers({ database, clock, secret: withSecret, keptFor: milliseconds(600_000) }), database),
  );

describe("an answer that is kept", () => {
  test("is given again after a restart, to the same question only", async () => {
    await open((answers) => answers.keep(asked, answer));
    await open(async (answers) => {
      expect(answers.find(asked)).toEqual(answer);
      expect(answers.find({ ...asked, content: "other" })).toBe("other");
      expect(answers.find({ ...asked, about: "somebody else" })).toBeUndefined();
    });
  });

  test("is gone after its time, and its row with the next one", async () => {
    await open(async (answers, database) => {
      await answers.keep(asked, answer);
      clock.advance(milliseconds(600_000));
      expect(answers.find(asked)).toBeUndefined();
      await answers.keep({ ...asked, about: "next" }, answer);
      expect(database.orm.select().from(answerTable).all()).toHaveLength(1);
    });
  });

  test("cannot be read from the database without this box's secret, nor under another one", async () => {
    await open(async (answers, database) => {
      await answers.keep(asked, answer);
      expect(JSON.stringify(database.orm.select().from(answerTable).all())).not.toContain("secret");
    });
    await open(async (answers) => expect(answers.find(asked)).toBeUndefined(), Buffer.alloc(32, 8));
  });

  test("is replaced by a later one", async () => {
    await open(async (answers) => {
      await answers.keep(asked, answer);
      await answers.keep(asked, { ...answer, status: 204 });
      expect(answers.find(asked)).toMatchObject({ status: 204 });
    });
  });
});
