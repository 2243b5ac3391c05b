// Which delivery is next: the longest due one whose host and owner have places left, found in a time that does not grow with what
// waits for those that have none.
import { and, type Column, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import type { JobId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { statement } from "../database/statement.ts";
import type { webhookDeliveryTable } from "./webhook-delivery.table.ts";

/** What is under way, and the hosts and owners that have as many attempts as they may. */
export type Look = { now: Instant; underWay: JobId[]; fullHosts: string[]; fullOwners: string[] };

type Table = typeof webhookDeliveryTable;

/**
 * Nearly always the next one is among so many that are due first. Where it is not, those before it wait for a few that are full, and
 * the rest is looked at by owner and host: at the first of each.
 */
const LOOKED_AT = 100;

export function createNextDue({ orm, sqlite }: Pick<Database, "orm" | "sqlite">, webhook: Table) {
  const columns = getTableColumns(webhook);
  const rowOf = (job: SQL) =>
    statement(
      sqlite,
      orm
        .select(columns)
        .from(webhook)
        .where(eq(webhook.job, sql`(${job})`)),
      columns,
    );
  const [near, far] = [rowOf(amongFirst(webhook)), rowOf(byPlace(webhook))];
  return ({ now, ...lists }: Look) => {
    const values = {
      now,
      underWay: JSON.stringify(lists.underWay),
      fullHosts: JSON.stringify(lists.fullHosts),
      fullOwners: JSON.stringify(lists.fullOwners),
    };
    return near.get(values) ?? far.get(values);
  };
}

const isOneOf = (list: keyof Look) => sql`(select value from json_each(${sql.placeholder(list)}))`;

/** `likely` keeps SQLite from the index by status: for each look it would sort all that wait for a receiver that is away. */
const isPending = (webhook: Table) => sql`likely(${webhook.status} = 'pending')`;

function amongFirst(webhook: Table): SQL {
  const isDue = and(isPending(webhook), sql`${webhook.dueAt} <= ${sql.placeholder("now")}`);
  const columns = sql`${webhook.job} as job, ${webhook.host} as host, coalesce(${webhook.owner}, '') as owner, ${webhook.dueAt} as due_at`;
  return sql`select job from (select ${columns} from ${webhook} where ${isDue} order by ${webhook.dueAt} limit ${sql.raw(String(LOOKED_AT))})
    where host not in ${isOneOf("fullHosts")} and owner not in ${isOneOf("fullOwners")} and job not in ${isOneOf("underWay")}
    order by due_at limit 1`;
}

/**
 * From each owner to the one behind it, from each host to the one behind it: SQLite has no way of its own to leave out what is between.
 * Where there is no owner is a place too.
 */
function byPlace(webhook: Table): SQL {
  const [pending, { owner, host }] = [isPending(webhook), webhook];
  const ownerFrom = (from: SQL) => sql`(select min(${owner}) from ${webhook} where ${pending} ${from})`;
  const hostFrom = (of: SQL, from: SQL) =>
    sql`(select min(${host}) from ${webhook} where ${pending} and ${owner} is ${of} ${from})`;
  const first = (column: SQL | Column) => sql`(select ${column} from ${webhook}
    where ${pending} and ${owner} is place.owner and ${host} = place.host and ${webhook.dueAt} <= ${sql.placeholder("now")}
      and ${webhook.job} not in ${isOneOf("underWay")} order by ${webhook.dueAt} limit 1)`;
  return sql`with recursive
    owners(name) as (
      select ${ownerFrom(sql``)}
      union all select ${ownerFrom(sql`and ${owner} > owners.name`)} from owners where name is not null),
    place(owner, host) as (
      select name, ${hostFrom(sql`name`, sql``)} from owners where coalesce(name, '') not in ${isOneOf("fullOwners")}
      union all select owner, ${hostFrom(sql`place.owner`, sql`and ${host} > place.host`)} from place where host is not null)
    select job from (
      select ${first(webhook.job)} as job, ${first(webhook.dueAt)} as due_at
      from place where host is not null and host not in ${isOneOf("fullHosts")})
    where job is not null order by due_at limit 1`;
}
