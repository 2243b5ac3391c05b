// What the Hub's refusals mean for the operator, in plain words and with the next step.
import { type ErrorCode, ForecourtError } from "../../core/errors.ts";
import { askedWait, passing } from "./transfer/patience.ts";

export type HubQuestion = {
  endpoint: string;
  repo: string;
  /** Branch, tag or commit. */
  revision: string;
  /** A file of the repository, if one was asked for. */
  path?: string;
  hasToken: boolean;
};

/** Reads a response that is not a success; its body is cancelled. */
export async function hubFailure(response: Response, question: HubQuestion): Promise<ForecourtError> {
  const { status, headers } = response;
  await response.body?.cancel();
  const said = headers.get("x-error-message") ?? undefined;
  if (status === 429 || status === 408 || status >= 500) return busy(response, question);
  switch (headers.get("x-error-code")) {
    case "GatedRepo":
      return gated(question, said);
    case "RepoNotFound":
      return noRepo(question);
    case "RevisionNotFound":
      return refusal("revision_not_found", `${question.repo} has no revision ${question.revision}.`);
    case "EntryNotFound":
      return refusal("file_not_found", `${question.repo} has no file ${question.path} at ${question.revision}.`);
  }
  if (status === 401) return question.hasToken && !isUnknownRepo(said) ? badToken(question, said) : noRepo(question);
  if (status === 403) return forbidden(question, said);
  if (status === 404) return notFound(question);
  const about = question.path === undefined ? question.repo : `${question.repo}: ${question.path}`;
  return refusal("refused", `${hostOf(question)} answered ${status} for ${about}${said ? ` (${said})` : ""}.`);
}

function busy({ status, headers }: Response, question: HubQuestion): ForecourtError {
  const retryAfterMs = askedWait(headers, Date.now());
  const hint = question.hasToken ? "" : " With a token (HF_TOKEN) the limits are higher.";
  const message =
    status === 429
      ? `${hostOf(question)} limits the rate of requests.${hint}`
      : `${hostOf(question)} answered ${status}.`;
  return passing(message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

function gated(question: HubQuestion, said: string | undefined): ForecourtError {
  const page = `${question.endpoint}/${question.repo}`;
  const step = question.hasToken
    ? `The token's account has no access to it yet: open ${page}, accept the terms and try again once access is granted`
    : `Open ${page}, accept the terms, then give a token of that account (HF_TOKEN) and try again`;
  return refusal("gated", `${question.repo} is a gated repository. ${step}.${said ? ` The Hub says: ${said}` : ""}`);
}

const noRepo = (question: HubQuestion) =>
  refusal(
    "repository_not_found",
    `There is no repository ${question.repo} at ${hostOf(question)}, or it is private and ${question.hasToken ? "the token cannot see it" : "needs a token (HF_TOKEN)"}.`,
  );

const badToken = (question: HubQuestion, said: string | undefined) =>
  refusal(
    "token_invalid",
    `${hostOf(question)} does not accept the token: it is wrong, expired or revoked${said ? ` (${said})` : ""}. Make another at ${question.endpoint}/settings/tokens and set HF_TOKEN.`,
    "misconfigured",
  );

const forbidden = (question: HubQuestion, said: string | undefined) =>
  refusal(
    "forbidden",
    `${hostOf(question)} refuses access to ${question.repo}${said ? `: ${said}` : question.hasToken ? ": the token lacks the permission to read it" : ""}.`,
  );

function notFound(question: HubQuestion): ForecourtError {
  if (question.path === undefined) return noRepo(question);
  return refusal("file_not_found", `${question.repo} has no file ${question.path} at ${question.revision}.`);
}

/** The Hub answers 401 and not 404 for a repository that an anonymous caller may not know of. */
const isUnknownRepo = (said: string | undefined) => said !== undefined && /repository not found/i.test(said);
const hostOf = ({ endpoint }: HubQuestion) => new URL(endpoint).host;

const refusal = (reason: string, message: string, code: ErrorCode = "weights_missing") =>
  new ForecourtError(code, message, { details: { reason } });
