// A database on disk for each test, opened as often as it wishes: what one opening wrote is there in the next.
import { beforeEach } from "bun:test";
import { join } from "node:path";
import { type Database, openDatabase } from "../../src/control/database/open.ts";
import { testFolder } from "./test-folder.ts";

/** The result opens it, and closes it when the use of it is over. */
export function reopenedDatabase(name: string) {
  const folder = testFolder(name);
  let count = 0;
  beforeEach(() => {
    count++;
  });
  return (use: (database: Database) => Promise<void>): Promise<void> => {
    const database = openDatabase({ file: join(folder, `${count}.sqlite`) });
    return use(database).finally(() => database[Symbol.dispose]());
  };
}
