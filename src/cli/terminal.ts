// What commands print: lines, JSON, tables; data on stdout, everything else on stderr.
import { dateOf } from "../core/iso-time.ts";

export const printLine = (line = "") => void process.stdout.write(`${line}\n`);
export const jsonText = (value: unknown) => JSON.stringify(value, null, 2);
export const printJson = (value: unknown) => printLine(jsonText(value));
/** For people, so that stdout stays clean for programs. */
export const note = (line: string) => void process.stderr.write(`${line}\n`);

/**
 * Columns as wide as their widest cell, two spaces apart; no line ends in spaces. Cells hold what callers wrote, too:
 * what would move the cursor, or turn the text around, is shown as its number.
 */
export function table(header: string[], rows: string[][]): string {
  const all = [header.map((title) => title.toUpperCase()), ...rows.map((row) => row.map(shown))];
  const widths = header.map((_, column) => Math.max(...all.map((row) => Bun.stringWidth(row[column] ?? ""))));
  const pad = (cell: string, column: number) => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell));
  return all.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

const shown = (cell: string) =>
  cell.replaceAll(
    /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** e.g. `1.5 GiB`. */
export function sizeText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${amount < 10 && power > 0 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[power]}`;
}

/** Instants as `2026-11-22 04:28` in local time. */
export function timeText(instant: number): string {
  const at = dateOf(instant);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
