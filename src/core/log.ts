// Structured log lines: one JSON object a line on stderr (by pino, with secrets blacked out), or short text on a terminal.
import { type Logger, pino } from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error";
/** Without the names that every line has already: a field of that name would be there twice, and the reader gets the last one. */
export type LogFields = Record<string, unknown> & { [name in "level" | "time" | "message"]?: never };
export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void> & {
  /** The same log with fields added to every line. */
  with(fields: LogFields): Log;
};

export type LogOptions = {
  level: LogLevel;
  format: "json" | "text";
  write?: (line: string) => void;
  now?: () => Date;
};

/** Nobody should log these; should somebody do it, they do not arrive. */
const SECRET = ["authorization", "cookie", "password", "secret", "token"].flatMap((name) => [name, `*.${name}`]);

export function createLog(options: LogOptions): Log {
  const { level, format, write = (line) => void process.stderr.write(`${line}\n`), now = () => new Date() } = options;
  const lines = { write: (line: string) => write((format === "text" ? asText(line) : line).trimEnd()) };
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: (name) => ({ level: name }) },
      redact: { paths: SECRET, censor: "********" },
    },
    lines,
  );
  return logOf(logger);
}

const logOf = (logger: Logger): Log => ({
  debug: (message, fields = {}) => logger.debug(fields, message),
  info: (message, fields = {}) => logger.info(fields, message),
  warn: (message, fields = {}) => logger.warn(fields, message),
  error: (message, fields = {}) => logger.error(fields, message),
  with: (fields) => logOf(logger.child(fields)),
});

function asText(line: string): string {
  const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>; // pino's own line
  const text = Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("");
  return visible(`${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${message}${text}`);
}

/** What callers sent neither moves the cursor nor passes for a line of its own: what goes on below (a stack) is set in. */
const visible = (text: string) =>
  text
    .replace(/[\r\n\u2028\u2029]+/g, "\n    ")
    .replace(/[^\P{Cc}\n]/gu, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);

export const silentLog: Log = createLog({ level: "error", format: "json", write: () => {} });
