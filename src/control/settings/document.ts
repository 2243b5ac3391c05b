// config/appliance.yaml: every setting with its default, as a commented file that operators copy from.
import { listSettings, type NamedSetting, type SettingTree } from "./setting.ts";

export function settingsDocument(tree: SettingTree): string {
  const lines = [
    "# Every setting of Forecourt with its default. Copy the lines you need to <data>/appliance.yaml.",
    "# Later ones win: defaults, this file, environment variables, flags. `forecourt doctor` shows each value's origin.",
  ];
  let group: string[] = [];
  for (const each of listSettings(tree)) {
    const parents = each.name.split(".").slice(0, -1);
    lines.push("", ...headings(parents, group), ...describe(each));
    group = parents;
  }
  return `${lines.join("\n")}\n`;
}

const headings = (parents: string[], open: string[]) =>
  parents
    .map((name, depth) => (open[depth] === name ? "" : `${"  ".repeat(depth)}${name}:`))
    .filter((line) => line !== "");

function describe({ name, setting }: NamedSetting): string[] {
  const parts = name.split(".");
  const indent = "  ".repeat(parts.length - 1);
  const range = choices(setting.schema.enum);
  const comment = wrap(`${setting.doc}${range} [${setting.env}]`, 110 - indent.length);
  const value = valueText(setting.default);
  return [...comment.map((line) => `${indent}# ${line}`), `${indent}${parts.at(-1)}: ${value}`];
}

/** A value in YAML as its formatter writes it. */
const valueText = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(valueText).join(", ")}]` : JSON.stringify(value);

const choices = (values: unknown) => (Array.isArray(values) ? ` One of ${values.join(", ")}.` : "");

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
