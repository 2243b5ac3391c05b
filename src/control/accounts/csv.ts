// Tables as CSV (RFC 4180) that spreadsheets read without harm.

export type Cell = string | number | null | undefined;

export const csv = (header: readonly string[], rows: readonly Cell[][]): string => csvRows([header, ...rows]);

export const csvRows = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((cells) => `${cells.map(cellText).join(",")}\r\n`).join("");

/** A leading `=`, `+`, `-` or `@` would be a formula in a spreadsheet; tags come from callers. */
function cellText(value: Cell): string {
  const text = String(value ?? "").replace(/^(?=[=+\-@\t\r])/, typeof value === "string" ? "'" : "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
