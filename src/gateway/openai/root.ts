// Where OpenAI's API begins: below it all failures are told in its words.

export const OPENAI_ROOT = "/v1/";
