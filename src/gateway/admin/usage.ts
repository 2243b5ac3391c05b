// What was used, over HTTP, for admins: sums by key, team, model or tag, as JSON or CSV, and the rows behind them.

import { requestLine, requestsCsv } from "../../control/accounts/request-report.ts";
import { inSlices, reportUsage, USAGE_ASPECTS, usageCsv } from "../../control/accounts/usage-report.ts";
import { WINDOW_NAMES, windowAt } from "../../control/accounts/windows.ts";
import type { Appliance } from "../../control/appliance.ts";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { isoTime } from "../../core/iso-time.ts";
import { choice, Type } from "../../core/schema.ts";
import { type Instant, instant } from "../../core/units.ts";
import { readInstant } from "../read-instant.ts";
import { readQuery } from "./read-query.ts";

type UsageBox = Pick<Appliance, "keys" | "accounts"> & { clock: Clock };

const time = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));

const spanFields = {
  since: time("From this time on (ISO 8601, UTC unless it has an offset); absent: the last 24 hours"),
  until: time("Before this time; absent: now"),
};

export const usageQuery = Type.Object({
  by: choice(USAGE_ASPECTS, { default: "key", description: "Whose usage is summed up" }),
  each: Type.Optional(
    choice(WINDOW_NAMES, {
      description:
        "One line for each (UTC); absent: one for the whole time. Whole ones of it are counted, else whole hours: the answer says from when to when",
    }),
  ),
  ...spanFields,
  format: choice(["json", "csv"], { default: "json" }),
});

const A_DAY = 86_400_000;

/** Some ten megabytes. Without `each` it is one line for each key, model or tag there is. */
const MOST_LINES = 50_000;

function expectFew(lines: number, each: string | undefined): void {
  if (lines <= MOST_LINES) return;
  const fewer = each === undefined ? "" : `, or for longer parts of it than each ${each}`;
  throw new ForecourtError(
    "bad_request",
    `That are ${lines} lines, and an answer has at most ${MOST_LINES}. Ask for a shorter time${fewer}; \`forecourt usage\` has no such limit.`,
  );
}

/** Throws `invalid_input` and `bad_request`. */
export async function showUsage({ accounts, keys, clock }: UsageBox, query: URLSearchParams): Promise<Response> {
  const { by, each, format, ...asked } = readQuery(usageQuery, query);
  const { since, until } = spanOf(asked, clock);
  if (each !== undefined) expectFew(accounts.totals.count({ by, period: each, since, until }), each);
  const lines = await reportUsage({ totals: accounts.totals, keys }, { by, since, until, ...(each && { each }) });
  expectFew(lines.length, each);
  if (format === "csv") return csvResponse(await usageCsv(lines));
  // What was counted: whole hours, or whole ones of what was asked for.
  const period = each ?? "hour";
  const span = { since: isoTime(windowAt(since, period).start), until: isoTime(windowAt(until - 1, period).end) };
  return jsonWithList({ by, ...span }, "usage", lines);
}

/** As Response.json of the fields with the list as the last one; others are answered meanwhile. */
async function jsonWithList(fields: object, name: string, list: readonly object[]): Promise<Response> {
  const parts: string[] = [];
  await inSlices(list, (slice) => void parts.push(JSON.stringify(slice).slice(1, -1)));
  const text = `${JSON.stringify(fields).slice(0, -1)},${JSON.stringify(name)}:[${parts.join()}]}`;
  return new Response(text, { headers: { "content-type": "application/json;charset=utf-8" } });
}

export const usageRowsQuery = Type.Object({
  ...spanFields,
  key: Type.Optional(Type.String({ maxLength: 100 })),
  team: Type.Optional(Type.String({ maxLength: 200 })),
  model: Type.Optional(Type.String({ maxLength: 200 })),
  after: Type.Optional(Type.Integer({ minimum: 0, description: "`next` of the page before" })),
  limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
  format: choice(["json", "csv"], { default: "json" }),
});

/** One for each finished request, oldest first; `next` is null at the end. CSV has it as a link, as pages of HTTP have. */
export function listUsageRows({ accounts, keys, clock }: UsageBox, query: URLSearchParams): Response {
  const { since, until, format, ...filter } = readQuery(usageRowsQuery, query);
  const rows = accounts.usage.rows({ ...filter, ...spanOf({ since, until }, clock) });
  const requests = rows.map((row) => requestLine(row, keys));
  const next = rows.length === filter.limit ? (rows.at(-1)?.seq ?? null) : null;
  if (format === "csv") return csvResponse(requestsCsv(requests), next === null ? undefined : linkTo(query, next));
  return Response.json({ requests, next });
}

function linkTo(query: URLSearchParams, next: number): string {
  const page = new URLSearchParams(query);
  page.set("after", String(next));
  return `<?${page}>; rel="next"`;
}

const csvResponse = (text: string, link?: string) =>
  new Response(text, { headers: { "content-type": "text/csv; charset=utf-8", ...(link && { link }) } });

type Span = { since?: string | undefined; until?: string | undefined };

function spanOf({ since, until }: Span, clock: Clock): { since: Instant; until: Instant } {
  const end = until === undefined ? instant(clock.now() + 1) : timeOf("until", until);
  const begin = since === undefined ? instant(end - A_DAY) : timeOf("since", since);
  if (begin >= end)
    throw new ForecourtError("bad_request", "since should be before until, which is now where it is not given.");
  return { since: begin, until: end };
}

function timeOf(name: string, text: string): Instant {
  const at = readInstant(text);
  if (at !== undefined) return at;
  throw new ForecourtError(
    "bad_request",
    `${name} should be a date or a time such as 2026-01-31T12:00:00Z; without an offset it is UTC.`,
  );
}
