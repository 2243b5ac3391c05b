// How an encoder-decoder model's words are searched for, from its generation_config.json.

export type BeamSettings = {
  /** Answers that grow side by side; 1 = always the likeliest token. */
  beams: number;
  /** Read first by the decoder; no part of the answer. */
  start: number;
  /** Tokens that end an answer. */
  ends: ReadonlySet<number>;
  /** The answer's first token, whatever the scores say. */
  forcedFirst: number | undefined;
  /** The last token of an answer that is as long as it may be. */
  forcedLast: number | undefined;
  /** No row of so many tokens comes twice; 0 = any may. */
  noRepeat: number;
  /** Scores are divided by the length to this power: above 0 long answers gain. */
  lengthPenalty: number;
  /** Stop once there are as many whole answers as beams; false: once none of the open ones can be better. */
  stopsEarly: boolean;
};

type Ids = number | number[] | null;

/** Fields of generation_config.json, or of older config.json, that are read. */
export type GenerationConfig = {
  num_beams?: number;
  decoder_start_token_id?: number | null;
  bos_token_id?: number | null;
  eos_token_id?: Ids;
  forced_bos_token_id?: number | null;
  forced_eos_token_id?: number | null;
  no_repeat_ngram_size?: number | null;
  length_penalty?: number | null;
  early_stopping?: boolean | string | null;
};

/** Defaults are transformers'. */
export function beamSettingsOf(config: GenerationConfig): BeamSettings {
  const { eos_token_id: ends, forced_bos_token_id: first, forced_eos_token_id: last } = config;
  return {
    beams: config.num_beams ?? 1,
    start: config.decoder_start_token_id ?? config.bos_token_id ?? 0,
    ends: new Set(ends === null || ends === undefined ? [] : [ends].flat()),
    forcedFirst: first ?? undefined,
    forcedLast: last ?? undefined,
    noRepeat: config.no_repeat_ngram_size ?? 0,
    lengthPenalty: config.length_penalty ?? 1,
    stopsEarly: config.early_stopping === true,
  };
}
