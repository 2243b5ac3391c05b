// Moves files to a bucket and ends their folders side by side, and says which folders it ended: a process for a test to kill.
import { databaseFile, openDatabase } from "../../src/control/database/open.ts";
import type { S3Options } from "../../src/control/storage/s3-request.ts";
import { createS3Store } from "../../src/control/storage/s3-store.ts";
import { createStores } from "./file-stores.ts";
import { createTestClock } from "./test-clock.ts";

const AT_ONCE = 40;

type Order = { data: string; server: S3Options; folders: string[] };

const { data, server, folders }: Order = await new Response(Bun.stdin.stream()).json();
using database = openDatabase({ file: databaseFile(data) });
const clock = createTestClock(Date.now());
const { move, removals } = createStores({ data, s3: createS3Store(server), database, clock });
const moving = (async () => {
  while ((await move()) > 0);
})();
for (let at = 0; at < folders.length; at += AT_ONCE) {
  const over = folders.slice(at, at + AT_ONCE);
  database.write(() => over.forEach(removals.add));
  await database.committed();
  process.stdout.write(over.map((folder) => `${folder}\n`).join(""));
  await removals.work().catch(() => {}); // some are on their way
}
await moving;
process.stdout.write("done\n");
