// A page of jobs of which some are in the table and some in memory.
import type { OpenRow } from "./job-row.ts";
import type { OpenPage, OpenPlace } from "./job-store.ts";

const byPlace = (a: OpenPlace, b: OpenPlace) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** `kept`: the page of the table. `others`: all rows in memory, which are few. */
export const openPage = (kept: OpenRow[], others: OpenRow[], { status, after, limit }: OpenPage): OpenRow[] =>
  [...kept, ...others.filter((row) => row.status === status && byPlace(row, after) > 0)].sort(byPlace).slice(0, limit);
