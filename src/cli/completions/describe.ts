// The command line as completions need it: every command with its words, and what may stand where a value does.
import type { Argument, Command, Option } from "commander";
import { type CommandTable, emptyProgram } from "../program.ts";

export type Value =
  | { is: "choices"; of: readonly string[] }
  | { is: "file" | "folder" | "model" }
  /** Nobody can say it beforehand. */
  | { is: "free" };

export type Word = { word: string; about: string };

export type CommandFacts = {
  /** `keys create`; "" is `forecourt` itself. */
  path: string;
  commands: Word[];
  options: (Word & { value?: Value })[];
  /** By position; the last stands for all that follow where the command takes more. */
  values: Value[];
  takesMore: boolean;
};

/** Loads every command. */
export async function describeCommands(table: CommandTable): Promise<CommandFacts[]> {
  const program = emptyProgram();
  for (const [name, { summary, load }] of Object.entries(table))
    program.addCommand((await load()).name(name).summary(summary));
  return factsOf(program, "");
}

function factsOf(command: Command, path: string): CommandFacts[] {
  const help = command.createHelp();
  const known = help.visibleCommands(command);
  const commands = known.map((each) => ({ word: each.name(), about: help.subcommandDescription(each) }));
  const { registeredArguments } = command;
  const own: CommandFacts = {
    path,
    commands,
    options: help.visibleOptions(command).flatMap(wordsOf),
    values: registeredArguments.map((each: Argument) => takenBy(each.name(), each.argChoices)),
    takesMore: registeredArguments.at(-1)?.variadic === true,
  };
  const below = known.flatMap((each) => factsOf(each, `${path} ${each.name()}`.trim()));
  const explained = { is: "choices", of: command.commands.map((each) => each.name()) } as const;
  return [own, ...below.map((each) => (isHelp(each, path) ? { ...each, values: [explained] } : each))];
}

const isHelp = ({ path }: CommandFacts, parent: string) => path === `${parent} help`.trim();

const wordsOf = ({ long, short, description, required, optional, flags, argChoices }: Option) =>
  [long, short].flatMap((word) => {
    if (!word) return [];
    const [, name = ""] = /<(.+)>|\[(.+)\]/.exec(flags) ?? [];
    return [{ word, about: description, ...((required || optional) && { value: takenBy(name, argChoices) }) }];
  });

/** Arguments and options are named after what they take. */
function takenBy(name: string, choices: readonly string[] | undefined): Value {
  if (choices) return { is: "choices", of: choices };
  return PLACES[name] ?? { is: "free" };
}

const PLACES: Readonly<Record<string, Value>> = {
  file: { is: "file" },
  dir: { is: "folder" },
  "folder or URL": { is: "folder" },
  model: { is: "model" },
  models: { is: "model" },
  kind: { is: "choices", of: ["auto", "cpu", "webgpu", "cuda"] },
};
