// Small systems of linear equations.

/** x of rows · x = sides, by elimination with the largest pivot; `rows` is square and not singular. */
export function solve(rows: readonly (readonly number[])[], sides: readonly number[]): number[] {
  const table = rows.map((row, i) => [...row, sides[i] ?? 0]);
  const count = table.length;
  for (let column = 0; column < count; column++) {
    const below = table.slice(column).map((row) => Math.abs(row[column] ?? 0));
    const pivot = table.splice(column + below.indexOf(Math.max(...below)), 1)[0] ?? [];
    const scaled = pivot.map((value) => value / (pivot[column] ?? 1));
    table.splice(column, 0, scaled);
    for (const [i, row] of table.entries()) {
      const factor = row[column] ?? 0;
      if (i !== column) table[i] = row.map((value, k) => value - factor * (scaled[k] ?? 0));
    }
  }
  return table.map((row) => row[count] ?? 0);
}
