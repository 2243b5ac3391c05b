// Tables, sizes and durations as people read and write them.
import { expect, test } from "bun:test";
import { parseDuration } from "../../src/cli/duration.ts";
import { sizeText, table, timeText } from "../../src/cli/terminal.ts";

test("columns line up, also with wide characters, and lines don't end in spaces", () => {
  expect(
    table(
      ["id", "name"],
      [
        ["1", "käfer"],
        ["100", "日本"],
        ["2", ""],
      ],
    ),
  ).toBe("ID   NAME\n1    käfer\n100  日本\n2");
});

test("what a caller wrote into a name moves no cursor, begins no line and turns no text around", () => {
  const names = ["a\nb", "\u001b[2Jgone", "\u202etxt.exe", "tab\there"];
  expect(
    table(
      ["name"],
      names.map((name) => [name]),
    ),
  ).toBe("NAME\na\\u000ab\n\\u001b[2Jgone\n\\u202etxt.exe\ntab\\u0009here");
});

test("sizes are short and in binary units", () => {
  expect([0, 900, 1536, 60_000_000, 24 * 1024 ** 3].map(sizeText)).toEqual([
    "0 B",
    "900 B",
    "1.5 KiB",
    "57 MiB",
    "24 GiB",
  ]);
});

test("durations need a unit and are never zero", () => {
  expect(parseDuration("90s", "--expires") as number).toBe(90_000);
  expect(parseDuration("1.5h", "--expires") as number).toBe(5_400_000);
  for (const wrong of ["30", "0d", "d", "-1d", "1y", "1d2h", ""])
    expect(() => parseDuration(wrong, "--expires")).toThrow(`--expires ${wrong}:`);
});

test("a time beyond all dates is still told as one", () => {
  expect(timeText(9e15)).toMatch(/^275760-09-1\d \d\d:\d\d$/);
  expect(timeText(0)).toMatch(/^19(69|70)-/);
});
