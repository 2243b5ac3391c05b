// The script for fish, 3.1 and later.
import type { CommandFacts, Value } from "./describe.ts";
import { LIST_MODELS, optionsWithValues, pathsOf } from "./walk.ts";

export function fishScript(commands: readonly CommandFacts[]): string {
  const withValues = optionsWithValues(commands).map(({ place }) => quoted(place));
  const paths = pathsOf(commands).map(quoted);
  return `# fish completion for forecourt, written by \`forecourt completions fish\`.
# Prints the command that the words before the cursor lead to, and how many arguments it has.
function __forecourt_place
    set -l command ''
    set -l place 0
    set -l skips 0
    for word in (commandline -opc)[2..-1]
        if test $skips = 1
            set skips 0
        else if contains -- "$command $word" ${withValues.join(" ")}
            set skips 1
        else if string match -q -- '-*' $word
            continue
        else if contains -- (string trim -- "$command $word") ${paths.join(" ")}
            set command (string trim -- "$command $word")
        else
            set place (math $place + 1)
        end
    end
    echo "$command/$place"
end
function __forecourt_in
    string match -q -- "$argv[1]/*" (__forecourt_place)
end
function __forecourt_at
    string match -q -- $argv[1] (__forecourt_place)
end
complete -c forecourt -f
${commands.flatMap((each) => [...linesOf(each)]).join("\n")}
`;
}

function* linesOf({ path, commands, options, values, takesMore }: CommandFacts): Generator<string> {
  const here = `complete -c forecourt -n ${quoted(`__forecourt_in ${quoted(path)}`)}`;
  for (const { word, about } of commands) yield `${here} -a ${quoted(word)} -d ${quoted(about)}`;
  for (const { word, about, value } of options) {
    const name = word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
    yield `${here} ${name} ${value ? offer(value) : ""} -d ${quoted(about)}`.replace("  ", " ");
  }
  for (const [index, value] of values.entries()) {
    const isOpen = takesMore && index === values.length - 1;
    const before = isOpen ? [...values.keys()].slice(0, index) : [];
    const at = [
      `__forecourt_at ${quoted(`${path}/${isOpen ? "*" : index}`)}`,
      ...before.map((earlier) => `and not __forecourt_at ${quoted(`${path}/${earlier}`)}`),
    ].join("; ");
    if (value.is !== "free") yield `complete -c forecourt -n ${quoted(at)} ${offer(value)}`;
  }
}

function offer(value: Value): string {
  if (value.is === "choices") return `-x -a ${quoted(value.of.join(" "))}`;
  if (value.is === "model") return `-x -a ${quoted(`(${LIST_MODELS})`)}`;
  if (value.is === "file") return "-r -F";
  return value.is === "folder" ? `-x -a '(__fish_complete_directories)'` : "-x";
}

/** In single quotes fish knows two escapes. */
const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", " ")}'`;
