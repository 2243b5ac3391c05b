// The script for bash, 4.4 and later; needs nothing of the package bash-completion.
import type { CommandFacts, Value } from "./describe.ts";
import { argumentCases, LIST_MODELS, optionCases, optionsWithValues, pathsOf, pattern, quoted } from "./walk.ts";

export function bashScript(commands: readonly CommandFacts[]): string {
  const options = optionsWithValues(commands);
  return `# bash completion for forecourt, written by \`forecourt completions bash\`.
_forecourt() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' option='' word at place=0
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    # \`--option=value\` arrives in three parts.
    if [[ $word == = ]]; then continue; fi
    if [[ -n $option ]]; then option=''; continue; fi
    case "$command $word" in
      ${pattern(options.map(({ place }) => place))}) option=$word; continue ;;
    esac
    if [[ $word == -* ]]; then continue; fi
    case "$command\${command:+ }$word" in
      ${pattern(pathsOf(commands))}) command+="\${command:+ }$word" ;;
      *) place=$((place + 1)) ;;
    esac
  done
  if [[ $current == = ]]; then current=''; fi
  if [[ -n $option ]]; then
    case "$command $option" in
${optionCases(commands, offer).join("\n")}
    esac
  elif [[ $current == -* ]]; then
    case $command in
${commands.map(({ path, options }) => `    ${quoted(path)}) _forecourt_words ${list(options.map(({ word }) => word))} ;;`).join("\n")}
    esac
  else
    case $command in
${commands
  .filter((each) => each.commands.length > 0)
  .map(
    ({ path, commands }) =>
      `    ${quoted(path)}) _forecourt_words ${list(commands.map(({ word }) => word))}; return ;;`,
  )
  .join("\n")}
    esac
    case "$command/$place" in
${argumentCases(commands, offer).join("\n")}
    esac
  fi
}
_forecourt_words() { mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current"); }
_forecourt_paths() {
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
  compopt -o filenames 2>/dev/null
}
complete -F _forecourt forecourt
`;
}

const list = (words: readonly string[]) => words.map(quoted).join(" ");

function offer(value: Value): string | undefined {
  if (value.is === "choices") return `_forecourt_words ${list(value.of)}`;
  if (value.is === "model") return `_forecourt_words "$(${LIST_MODELS})"`;
  if (value.is === "free") return undefined;
  return `_forecourt_paths ${value.is === "file" ? "-f" : "-d"}`;
}
