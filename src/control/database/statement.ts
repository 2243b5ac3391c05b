// A statement that drizzle's builders wrote and that runs for every request: what drizzle's own prepared queries do anew at each
// call (reading parameters, asking each column how it is decoded) is done once, here.
import type { SQLQueryBindings, Database as Sqlite } from "bun:sqlite";
import { Column, type GetColumnData, is, Param, Placeholder, type SQL } from "drizzle-orm";
import { invariant } from "../../core/errors.ts";

export type Values = Readonly<Record<string, unknown>>;
export type Statement<Row> = {
  run(values: Values): void;
  /** The first row. */
  get(values: Values): Row | undefined;
  all(values: Values): Row[];
};

/** What a builder of drizzle's writes. */
type Query = { toSQL(): { sql: string; params: unknown[] } };
/** Expressions come as SQLite has them. */
type Columns = Record<string, Column | SQL>;
type RowOf<Selected extends Columns> = {
  [Name in keyof Selected]: Selected[Name] extends Column
    ? GetColumnData<Selected[Name]>
    : Selected[Name] extends SQL<infer Value>
      ? Value
      : never;
};

/** `columns`: what the query selects or returns, in its order. */
export function statement<Selected extends Columns = Record<never, never>>(
  sqlite: Sqlite,
  query: Query,
  columns?: Selected,
): Statement<RowOf<Selected>> {
  const { sql, params } = query.toSQL();
  const prepared = sqlite.prepare<unknown, SQLQueryBindings[]>(sql);
  const readers = params.map(reader);
  const bind = (values: Values) => readers.map((read) => read(values));
  const row = rowReader(columns ?? {}) as (fields: unknown[]) => RowOf<Selected>; // built from these columns
  return {
    run(values) {
      prepared.run(...bind(values));
    },
    get(values) {
      const [first] = prepared.values(...bind(values));
      return first && row(first);
    },
    all: (values) => prepared.values(...bind(values)).map(row),
  };
}

/** How a parameter comes by its value. */
function reader(param: unknown): (values: Values) => SQLQueryBindings {
  const { placeholder, encode } = parameter(param);
  if (!placeholder) return () => param as SQLQueryBindings; // a value that the query itself names
  const { name } = placeholder;
  return (values) => {
    const value = values[name];
    invariant(value !== undefined, `the statement's value ${name} was not given`);
    return (value === null || !encode ? value : encode(value)) as SQLQueryBindings; // as its column's type has it
  };
}

/** Drizzle wraps a placeholder that stands for a column's value together with how that column is encoded. */
function parameter(param: unknown): { placeholder?: Placeholder; encode?: (value: unknown) => unknown } {
  if (is(param, Placeholder)) return { placeholder: param };
  if (!is(param, Param) || !is(param.value, Placeholder)) return {};
  const { value: placeholder, encoder } = param;
  return isPlain(encoder, "mapToDriverValue")
    ? { placeholder }
    : { placeholder, encode: (value) => encoder.mapToDriverValue(value) };
}

/** Columns that are kept as they are, which most are, need no call. */
const isPlain = (codec: object, name: "mapToDriverValue" | "mapFromDriverValue") =>
  is(codec, Column) && codec[name] === Column.prototype[name];

function rowReader(columns: Columns): (fields: unknown[]) => Record<string, unknown> {
  const decoders = Object.entries(columns).map(([name, column]) => ({
    name,
    decode:
      is(column, Column) && !isPlain(column, "mapFromDriverValue")
        ? (value: unknown) => column.mapFromDriverValue(value)
        : undefined,
  }));
  return (fields) => {
    const row: Record<string, unknown> = {};
    for (let at = 0; at < decoders.length; at++) {
      const { name, decode } = decoders[at] as (typeof decoders)[number]; // within its bounds
      const value = fields[at];
      row[name] = value === null || !decode ? value : decode(value);
    }
    return row;
  };
}
