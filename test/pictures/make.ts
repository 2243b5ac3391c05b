// Makes models/pictures and its page from the trained graphs beside the repository: `bun run pictures`.
import { join } from "node:path";
import { beside, codec, everything } from "./shown.ts";

const FOLDER = join(import.meta.dir, "../../models/pictures");

const sections: string[] = [];
for await (const shown of everything()) {
  const { name, model, title, said } = shown;
  await Bun.write(join(FOLDER, `${name}.webp`), await codec.encode(await beside(shown), "webp"));
  sections.push(`## ${title}\n\n\`${model}\`${said === "" ? "" : `: ${said}`}\n\n![${title}](${name}.webp)\n`);
}

const head = `# What trained models make of pictures

Made by \`bun run pictures\` with the models of this folder's parent and their trained weights, on a CPU: to the left what was given, to the
right what came of it. A test makes them again and compares. Given are Eileen Collins by NASA (public domain), a kitten of Microsoft's Windows
Machine Learning samples (MIT) and a printed line of our own.
`;
await Bun.write(join(FOLDER, "README.md"), `${head}\n${sections.join("\n")}`);
