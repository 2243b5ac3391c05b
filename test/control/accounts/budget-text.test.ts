// Budgets as people write them.
import { expect, test } from "bun:test";
import type { Budget } from "../../../src/control/accounts/account.ts";
import { budgetText, parseBudget } from "../../../src/control/accounts/budget-text.ts";
import { windowAt } from "../../../src/control/accounts/windows.ts";
import { micros, nanos } from "../../../src/core/money.ts";

test.each<[string, Budget, string]>([
  ["10 USD/day", { unit: "USD", amount: nanos(10), window: "day" }, "10 USD/day"],
  ["500 requests/month", { unit: "requests", amount: micros(500), window: "month" }, "500 requests/month"],
  ["1 image per hour", { unit: "images", amount: micros(1), window: "hour" }, "1 images/hour"],
  ["0.5EUR/hour soft", { unit: "EUR", amount: nanos(0.5), window: "hour", isSoft: true }, "0.5 EUR/hour soft"],
])("%s is understood", (text, budget, written) => {
  expect(parseBudget(text)).toEqual(budget);
  expect(budgetText(budget)).toBe(written);
  expect(parseBudget(written)).toEqual(budget);
});

test.each([
  "",
  "10",
  "10 USD",
  "10 USD/week",
  "USD 10/day",
  "-1 USD/day",
  "1e9 USD/day",
  "10000000 USD/day",
  "ten USD/day",
])("%p is refused with an example", (text) => {
  expect(() => parseBudget(text)).toThrow(/e\.g\. '10 USD\/day'/);
});

test("windows are hours, days and months of the calendar in UTC", () => {
  const at = Date.parse("2028-02-29T23:59:59.999Z");
  const window = (name: "hour" | "day" | "month") =>
    Object.values(windowAt(at, name)).map((each) => new Date(each).toISOString().slice(0, 16));
  expect(window("hour")).toEqual(["2028-02-29T23:00", "2028-03-01T00:00"]);
  expect(window("day")).toEqual(["2028-02-29T00:00", "2028-03-01T00:00"]);
  expect(window("month")).toEqual(["2028-02-01T00:00", "2028-03-01T00:00"]);
});

test("a currency in small letters is told to be one, not a unit", () => {
  expect(() => parseBudget("10 usd/day")).toThrow("capital letters, USD");
});
