// The script for zsh; as a function in fpath, or read into a shell that has compinit.
import type { CommandFacts, Value, Word } from "./describe.ts";
import { argumentCases, LIST_MODELS, optionCases, optionsWithValues, pathsOf, pattern, quoted } from "./walk.ts";

export function zshScript(commands: readonly CommandFacts[]): string {
  const options = optionsWithValues(commands);
  return `#compdef forecourt
# zsh completion for forecourt, written by \`forecourt completions zsh\`.
_forecourt() {
  local command='' option='' word at place=0
  local -a described
  for ((at = 2; at < CURRENT; at++)); do
    word=\${words[at]}
    if [[ -n $option ]]; then option=''; continue; fi
    case "$command $word" in
      (${pattern(options.map(({ place }) => place))}) option=$word; continue ;;
    esac
    if [[ $word == -* ]]; then continue; fi
    case "$command\${command:+ }$word" in
      (${pattern(pathsOf(commands))}) command+="\${command:+ }$word" ;;
      (*) place=$((place + 1)) ;;
    esac
  done
  if [[ -z $option && $PREFIX == --*=* ]]; then
    option=\${PREFIX%%=*}
    compset -P '*='
  fi
  if [[ -n $option ]]; then
    case "$command $option" in
${optionCases(commands, offer).join("\n")}
    esac
  elif [[ $PREFIX == -* ]]; then
    case $command in
${commands.map(({ path, options }) => `    ${quoted(path)}) described=(${list(options)}) ;;`).join("\n")}
    esac
    _describe -o option described
  else
    case $command in
${commands
  .filter((each) => each.commands.length > 0)
  .map(({ path, commands }) => `    ${quoted(path)}) described=(${list(commands)}) ;;`)
  .join("\n")}
    esac
    if (( $#described )); then
      _describe command described
      return
    fi
    case "$command/$place" in
${argumentCases(commands, offer).join("\n")}
    esac
  fi
}
if [[ $funcstack[1] == _forecourt ]]; then _forecourt "$@"; else compdef _forecourt forecourt; fi
`;
}

/** The first colon parts a word from what is said about it. */
const list = (words: readonly Word[]) =>
  words.map(({ word, about }) => quoted(`${word.replaceAll(":", "\\:")}:${about.replaceAll("\n", " ")}`)).join(" ");

function offer(value: Value): string | undefined {
  if (value.is === "choices") return `compadd -- ${value.of.map(quoted).join(" ")}`;
  if (value.is === "model") return `compadd -- \${(f)"$(${LIST_MODELS})"}`;
  if (value.is === "free") return undefined;
  return value.is === "file" ? "_files" : "_files -/";
}
