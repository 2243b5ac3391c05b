// Answers to changes, kept for a while and across restarts, so that a change that is sent again is not made again.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { eq, lte } from "drizzle-orm";
import type { Clock } from "../../core/clock.ts";
import { instant, type Milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { answerTable } from "./answer.table.ts";

export type StoredAnswer = { status: number; body: string; contentType: string | null };
/** `about` says who asked what under which key, `content` all else that decides the answer. */
export type Asked = { about: string; content: string };

export type Answers = {
  /** `other`: the same key came with other content. */
  find(asked: Asked): StoredAnswer | "other" | undefined;
  /** Resolves when it is on disk. */
  keep(asked: Asked, answer: StoredAnswer): Promise<void>;
};

export type AnswersParts = {
  database: Database;
  clock: Clock;
  /** Of this box, in no backup of the database: without it and the key of the request an answer cannot be read. */
  secret: Buffer;
  keptFor: Milliseconds;
};

export function createAnswers({ database, clock, secret, keptFor }: AnswersParts): Answers {
  const { orm, write, committed } = database;
  const digest = (use: string, text: string) => createHmac("sha256", secret).update(`${use}\n${text}`).digest();
  const idOf = ({ about }: Asked) => digest("answer id", about).toString("base64url");
  const contentOf = ({ content }: Asked) => digest("answer content", content).toString("base64url");
  return {
    find(asked) {
      const row = orm
        .select()
        .from(answerTable)
        .where(eq(answerTable.id, idOf(asked)))
        .get();
      if (!row || row.until <= clock.now()) return undefined;
      return row.content === contentOf(asked) ? unseal(row.sealed, digest("answer seal", asked.about)) : "other";
    },
    async keep(asked, answer) {
      const sealed = seal(answer, digest("answer seal", asked.about));
      const row = { content: contentOf(asked), sealed, until: instant(clock.now() + keptFor) };
      write(() => {
        orm.delete(answerTable).where(lte(answerTable.until, clock.now())).run();
        orm
          .insert(answerTable)
          .values({ id: idOf(asked), ...row })
          .onConflictDoUpdate({ target: answerTable.id, set: row })
          .run();
      });
      await committed();
    },
  };
}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function seal(answer: StoredAnswer, key: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(answer), "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64");
}

function unseal(sealed: string, key: Buffer): StoredAnswer {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  return JSON.parse(text.toString("utf8")) as StoredAnswer; // as seal() wrote it
}
