// `forecourt completions bash|zsh|fish`: a script by which a shell completes this command line, made from the commands themselves.
import { Argument, Command } from "commander";
import { bashScript } from "./completions/bash.ts";
import { describeCommands } from "./completions/describe.ts";
import { fishScript } from "./completions/fish.ts";
import { zshScript } from "./completions/zsh.ts";
import type { CommandTable } from "./program.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof SCRIPTS;

export const completions = (table: CommandTable) =>
  new Command("completions")
    .description(
      "Prints a script that completes commands, options, models and files in a shell. install.sh puts it in place.",
    )
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      `
Examples:
  forecourt completions bash > ~/.local/share/bash-completion/completions/forecourt
  forecourt completions zsh > ~/.zfunc/_forecourt        # with ~/.zfunc in fpath, before compinit
  forecourt completions fish > ~/.config/fish/completions/forecourt.fish`,
    )
    .action(async (shell: Shell) => void process.stdout.write(SCRIPTS[shell](await describeCommands(table))));
