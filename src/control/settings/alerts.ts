// Settings of alerts: what is worth one, and who is told.
import { Type } from "../../core/schema.ts";
import { SPEND_PATTERN } from "../alerts/rules.ts";
import { addressOrNone, MOST_SECONDS, setting } from "./setting.ts";

const spendRules = Type.Array(
  Type.String({
    pattern: SPEND_PATTERN,
    expected: "an amount, a currency and hour, day or month, such as 300 USD/day",
  }),
);

export const alertSettings = {
  url: setting({
    doc: "Who is told of alerts, by webhook signed as those of requests. Empty: they are only logged and listed.",
    env: "FORECOURT_ALERTS_URL",
    schema: addressOrNone("https://ops.example.org/alerts"),
    default: "",
  }),
  keySpend: setting({
    doc: "A key that spends more than one of these is reported once in that hour, day or month (UTC).",
    env: "FORECOURT_ALERTS_KEY_SPEND",
    schema: spendRules,
    default: ["300 USD/day"],
  }),
  teamSpend: setting({
    doc: "The same for teams.",
    env: "FORECOURT_ALERTS_TEAM_SPEND",
    schema: spendRules,
    default: [],
  }),
  boxSpend: setting({
    doc: "The same for all keys together.",
    env: "FORECOURT_ALERTS_BOX_SPEND",
    schema: spendRules,
    default: [],
  }),
  budgetPercents: setting({
    doc: "An account that has used this share of one of its budgets, hard or soft, is reported once in the budget's window.",
    env: "FORECOURT_ALERTS_BUDGET_PERCENTS",
    schema: Type.Array(Type.Number({ minimum: 1, maximum: 1000 })),
    default: [80, 100],
  }),
  errorPercent: setting({
    doc: "Share of requests that failed by the box's doing within five minutes, of 20 at least; 0 reports none.",
    env: "FORECOURT_ALERTS_ERROR_PERCENT",
    schema: Type.Number({ minimum: 0, maximum: 100 }),
    default: 50,
  }),
  queueWaitSeconds: setting({
    doc: "A request that waits longer than this is reported; 0 reports none.",
    env: "FORECOURT_ALERTS_QUEUE_WAIT_SECONDS",
    schema: Type.Number({ minimum: 0, maximum: MOST_SECONDS }),
    default: 0,
  }),
  diskFreePercent: setting({
    doc: "Less free space than this on the disk of the data directory is reported; 0 reports none.",
    env: "FORECOURT_ALERTS_DISK_FREE_PERCENT",
    schema: Type.Number({ minimum: 0, maximum: 100 }),
    default: 5,
  }),
};
