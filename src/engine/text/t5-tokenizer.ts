// Text to the ids that a T5 text encoder reads, from the tokenizer.json of its repository.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { contentOf, type SpecialToken } from "./clip-description.ts";
import { openDescription, readingOf, type Tokenizer } from "./tokenizer.ts";

type TokenizerConfig = { eos_token?: SpecialToken | null; pad_token?: SpecialToken | null };

/**
 * Texts become at most `maxLength` ids, the end token last; T5 itself would read more, models are trained on so many.
 * Throws `weights_missing`, also where there is only a sentencepiece file.
 */
export async function loadT5Tokenizer(
  assets: Assets,
  { folder, maxLength }: { folder: string; maxLength: number },
): Promise<Tokenizer> {
  const path = (name: string) => `${folder}/${name}`;
  const name = path("tokenizer_config.json");
  const config = assets.has(name) ? await assets.json<TokenizerConfig>(name) : {};
  const description = await assets.json<object>(path("tokenizer.json"));
  const library = openDescription({ description, config, name: path("tokenizer.json") });
  const idOf = (token: SpecialToken) => {
    const id = library.token_to_id(contentOf(token));
    if (id !== undefined) return id;
    throw new ForecourtError("weights_missing", `${path("tokenizer.json")} has no token ${contentOf(token)}`);
  };
  const end = idOf(config.eos_token ?? "</s>");
  const padding = idOf(config.pad_token ?? "<pad>");
  return readingOf({
    maxLength,
    tokens: (text) => library.encode(text, { add_special_tokens: false }).ids,
    before: [],
    after: [end],
    padding,
  });
}
