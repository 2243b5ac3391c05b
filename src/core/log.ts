// Structured log lines: one JSON object a line on stderr, or short text on a terminal.

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Record<string, unknown>;
export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void> & {
  /** The same log with fields added to every line. */
  with(fields: LogFields): Log;
};

const ORDER: LogLevel[] = ["debug", "info", "warn", "error"];

export type LogOptions = {
  level: LogLevel;
  format: "json" | "text";
  write?: (line: string) => void;
  now?: () => Date;
};

export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const write = options.write ?? ((line: string) => process.stderr.write(`${line}\n`));
  const now = options.now ?? (() => new Date());
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (ORDER.indexOf(level) < ORDER.indexOf(options.level)) return;
    const all = { ...bound, ...fields };
    const time = now().toISOString();
    write(
      options.format === "json"
        ? JSON.stringify({ time, level, message, ...all })
        : `${time.slice(11, 19)} ${level.toUpperCase().padEnd(5)} ${message}${asText(all)}`,
    );
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

const asText = (fields: LogFields) =>
  Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("");

export const silentLog: Log = createLog({ level: "error", format: "json", write: () => {} });
