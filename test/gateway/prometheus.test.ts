// The rules and the dashboard that operators give to Prometheus and Grafana name nothing that /metrics does not say, and rules fire when they should.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RULE_NAMES } from "../../src/control/alerts/rules.ts";
import { createMetricRegistry } from "../../src/control/metrics/registry.ts";
import { ERROR_CODES } from "../../src/core/errors.ts";
import { testFolder } from "../support/test-folder.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

const ROOT = join(import.meta.dir, "../..");
const RULES = join(ROOT, "config/prometheus-alerts.yaml");
const CASES = join(import.meta.dir, "prometheus-rules.yaml");
const DASHBOARD = join(ROOT, "config/grafana-dashboard.json");
const folder = testFolder("prometheus");

type Rule = { alert: string; expr: string; annotations?: Record<string, string> };
type RuleFile = { groups: { name: string; rules: Rule[] }[] };
const rules = Bun.YAML.parse(readFileSync(RULES, "utf8")) as RuleFile;
type Panel = { title: string; targets?: { expr: string; legendFormat?: string }[] };
const dashboard = JSON.parse(readFileSync(DASHBOARD, "utf8")) as {
  panels: Panel[];
  templating: { list: { query: unknown }[] };
};

/** By name: its kind, as the answer of a box tells, and its labels, as the library keeps them. */
const metrics = new Map<string, { type: string; labels: readonly string[] }>();
let text = "";
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
  await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } });
  text = await (await gateway.ask("GET", "/metrics", { key: gateway.adminKey })).text();
  // prom-client has them in its objects, and not in its types.
  const kept = Object.values(createMetricRegistry()) as unknown as { name?: string; labelNames?: string[] }[];
  const labels = new Map(kept.map(({ name, labelNames }) => [name, labelNames]));
  for (const [, name = "", type = ""] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm))
    metrics.set(name, { type, labels: labels.get(name) ?? [] });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** Of Prometheus itself: it knows them of every target. */
const TARGETS = ["instance", "job"];

function metricOf(series: string): { name: string; labels: readonly string[] } | undefined {
  const plain = metrics.get(series);
  if (plain && plain.type !== "histogram") return { name: series, labels: [...plain.labels, ...TARGETS] };
  const [, name = "", part = ""] = /^(\w+)_(bucket|sum|count)$/.exec(series) ?? [];
  const histogram = metrics.get(name);
  if (histogram?.type !== "histogram") return undefined;
  return { name, labels: [...histogram.labels, ...TARGETS, ...(part === "bucket" ? ["le"] : [])] };
}

const isSaid = (label: string, value: string) => {
  if (label === "outcome" && [...ERROR_CODES, "done", "cancelled"].includes(value)) return true;
  if (label === "rule") return RULE_NAMES.some((name) => name === value);
  if (TARGETS.includes(label) || value.startsWith("$") || label === "status") return true;
  return new RegExp(`[{,]${label}="${value}"`).test(text);
};

/** What an expression names and a box does not say, in words. */
function unknownIn(expression: string): string[] {
  const found: string[] = [];
  const known = new Set(TARGETS);
  for (const [, series = "", matchers = ""] of expression.matchAll(/\b(forecourt_\w+)(?:\{([^}]*)\})?/g)) {
    const metric = metricOf(series);
    if (!metric) found.push(`metric ${series}`);
    for (const label of metric?.labels ?? []) known.add(label);
    for (const [, label = "", values = ""] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)) {
      if (!metric?.labels.includes(label)) found.push(`label ${label} of ${series}`);
      for (const value of values.split("|")) if (!isSaid(label, value)) found.push(`${label}="${value}" of ${series}`);
    }
  }
  for (const [, list = ""] of expression.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g))
    for (const label of list.split(",").map((each) => each.trim()))
      if (label !== "" && !known.has(label)) found.push(`label ${label} in ${expression}`);
  return found;
}

describe("every name is one of /metrics", () => {
  test("the check knows what is said, and finds what is not", () => {
    expect(metrics.size).toBeGreaterThan(20);
    expect([...metrics.keys()].filter((name) => !name.startsWith("forecourt_"))).toEqual([]);
    expect(unknownIn('sum by (model, le) (rate(forecourt_job_run_seconds_bucket{device="cpu"}[5m]))')).toEqual([]);
    expect(unknownIn("forecourt_job_run_seconds > forecourt_jobs")).toEqual([
      "metric forecourt_job_run_seconds",
      "metric forecourt_jobs",
    ]);
    expect(unknownIn('sum by (key) (forecourt_jobs_total{state="done", outcome="lost"})')).toEqual([
      "label state of forecourt_jobs_total",
      'state="done" of forecourt_jobs_total',
      'outcome="lost" of forecourt_jobs_total',
      'label key in sum by (key) (forecourt_jobs_total{state="done", outcome="lost"})',
    ]);
  });

  test("in the rules, and in what they tell people", () => {
    const all = rules.groups.flatMap((group) => group.rules);
    expect(all.length).toBeGreaterThan(10);
    expect(all.flatMap(({ alert, expr }) => unknownIn(expr).map((unknown) => `${alert}: ${unknown}`))).toEqual([]);
    for (const { alert, expr, annotations = {} } of all) {
      const told = Object.values(annotations).join(" ");
      const [, by] = /^sum by \(([^)]*)\)/.exec(expr) ?? [];
      const series = /forecourt_\w+/.exec(expr)?.[0] ?? "";
      const labels = by?.split(", ") ?? metricOf(series)?.labels ?? TARGETS;
      const used = [...told.matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label);
      expect([alert, used.filter((label) => !labels.includes(label))]).toEqual([alert, []]);
      expect([alert, unknownIn(told)]).toEqual([alert, []]);
    }
  });

  test("in the dashboard", () => {
    const targets = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((each) => ({ title, ...each })));
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.flatMap(({ title, expr }) => unknownIn(expr).map((unknown) => `${title}: ${unknown}`))).toEqual([]);
    for (const { title, expr, legendFormat = "" } of targets) {
      const used = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
      const [, by = ""] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
      const labels = by === "" ? (metricOf(/forecourt_\w+/.exec(expr)?.[0] ?? "")?.labels ?? []) : by.split(", ");
      expect([title, used.filter((label) => !labels.includes(label))]).toEqual([title, []]);
    }
  });
});

/** Debian's package `prometheus` has it. */
const promtool = Bun.which("promtool");
if (!promtool) process.stderr.write("There is no promtool: Prometheus itself is not asked about the rules.\n");

const ask = (...words: string[]) => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([promtool ?? "", ...words]);
  return { exitCode, said: `${stdout}${stderr}` };
};

describe.skipIf(!promtool)("by Prometheus' own tool", () => {
  test("the rules and their texts are valid", () => {
    expect(ask("check", "rules", RULES)).toMatchObject({ exitCode: 0 });
  });

  test("the dashboard's expressions are too", async () => {
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const file = join(folder, "dashboard.json");
    const recorded = expressions.map((expr, at) => ({
      record: `panel:${at}`,
      expr: expr.replaceAll("$__rate_interval", "5m"),
    }));
    await Bun.write(file, JSON.stringify({ groups: [{ name: "dashboard", rules: recorded }] }));
    expect(ask("check", "rules", file)).toMatchObject({ exitCode: 0 });
  });

  test("each fires when it should, and none for a box that is well", async () => {
    // Its cases would have to repeat every text.
    const bare = rules.groups.map((group) => ({
      ...group,
      rules: group.rules.map(({ annotations: _, ...rule }) => rule),
    }));
    await Bun.write(join(folder, "rules.json"), JSON.stringify({ groups: bare }));
    const cases = Bun.YAML.parse(readFileSync(CASES, "utf8")) as Cases;
    const file = join(folder, "cases.json");
    await Bun.write(file, JSON.stringify({ ...cases, rule_files: ["rules.json"] }));
    expect(ask("test", "rules", file)).toEqual({ exitCode: 0, said: expect.stringContaining("SUCCESS") });
    const fired = cases.tests.flatMap(({ alert_rule_test }) =>
      alert_rule_test.flatMap(({ alertname, exp_alerts }) => (exp_alerts ? [alertname] : [])),
    );
    expect([...new Set(fired)].sort()).toEqual(
      rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert)).sort(),
    );
  });
});

type Cases = { tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[] };
