// The command line as a whole: help, usage errors, exit codes. Each command itself is a file beside this one.
import { finished } from "node:stream/promises";
import { Command } from "commander";
import { EXIT, type ExitCode, exitCodeOf, explain, lostOutput } from "./failure.ts";
import { versionText } from "./version.ts";

export type CommandTable = Record<string, { summary: string; load: () => Promise<Command> }>;

/** Runs one command to its end; never throws. Only the command that is asked for is loaded. */
export async function runProgram(given: { commands: CommandTable; arguments: string[] }): Promise<ExitCode> {
  const output = followOutput();
  process.stderr.on("error", goOnUnheard);
  const exit = await carryOut(given);
  const lost = await output.end();
  // A command that failed has said so, and may have failed for it.
  if (!lost || exit !== EXIT.done) return exit;
  process.stderr.write(`${explain(lostOutput(lost, "what the command changed stays changed"))}\n`);
  return EXIT.failed;
}

async function carryOut(given: { commands: CommandTable; arguments: string[] }): Promise<ExitCode> {
  let acting: Command | undefined;
  const ended = async (exit: ExitCode) => {
    if (acting) await writeDownAct(acting, exit);
    return exit;
  };
  try {
    const program = await createProgram(given.commands, given.arguments);
    program.hook("preAction", (_, command) => {
      acting = command;
    });
    await program.parseAsync(given.arguments, { from: "user" });
    return await ended(EXIT.done);
  } catch (thrown) {
    const text = explain(thrown);
    if (text !== undefined) process.stderr.write(`${text}\n`);
    return await ended(exitCodeOf(thrown));
  }
}

/** Loads the database's code only for commands that change something. */
async function writeDownAct(command: Command, exit: ExitCode): Promise<void> {
  const { isAudited } = await import("./audited-commands.ts");
  if (!isAudited(command)) return;
  const { writeDown } = await import("./audited.ts");
  writeDown(command, exit);
}

/** With what `forecourt` takes by itself, and no commands. */
export const emptyProgram = () =>
  new Command("forecourt")
    .description("fal.ai's developer experience on your own GPU box")
    .version(versionText(), "-v, --version", "print the version")
    .helpOption("-h, --help", "explain a command")
    .helpCommand("help [command]", "explain a command");

async function createProgram(commands: CommandTable, [wanted, subject]: string[]): Promise<Command> {
  const program = emptyProgram();
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const isNeeded = name === (wanted === "help" ? subject : wanted);
    const command = isNeeded ? await load() : new Command(name);
    program.addCommand(command.summary(summary));
  }
  tame(program, "forecourt");
  // Else commander shows the help as if nothing were wrong.
  if (wanted === "help" && subject !== undefined && !Object.hasOwn(commands, subject) && subject !== "help")
    program.error(`error: unknown command '${subject}'`);
  return program;
}

/** Throws instead of ending the process, and says a usage error in one line with the way to the help. */
function tame(command: Command, path: string): void {
  command
    .exitOverride()
    .showHelpAfterError(`Run \`${path} --help\` to see what is possible.`)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "forecourt: ")) });
  for (const each of command.commands) tame(each, `${path} ${each.name()}`);
}

/** Whoever read the log is gone, or its disk is full: a server serves on, and there is nobody left to tell. */
function goOnUnheard(): void {}

/**
 * What becomes of standard output. `end` waits until all of it is out, for as long as a slow reader takes, and says what
 * kept it from being written; that `forecourt models list | head -1` reads no further is no failure.
 */
function followOutput(): { end(): Promise<NodeJS.ErrnoException | undefined> } {
  let failure: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    failure ??= error;
  });
  return {
    async end() {
      // Bun 1.4 never ends a stream that has failed, and calls back writes of nothing before those that came earlier.
      if (!failure) await finished(process.stdout.end()).catch((error: NodeJS.ErrnoException) => (failure ??= error));
      return failure?.code === "EPIPE" ? undefined : failure;
    },
  };
}
