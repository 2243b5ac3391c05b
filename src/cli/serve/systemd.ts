// What systemd hears of the server that it started: how it is, when it is ready and stops, and that it makes progress.
import type { serviceFacts } from "../../control/settings.ts";
import type { Timers } from "../../core/clock.ts";
import { toFailure } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { milliseconds } from "../../core/units.ts";
import { openNotifySocket } from "./notify-socket.ts";

export type Systemd = Disposable & {
  starting(status: string): void;
  /** From now on it hears of the status when that changes, and of progress: each time after `looked`, which resolves when there is some. */
  ready(server: { status: () => string; looked: () => Promise<void> }): void;
  stopping(status: string): void;
};

const STATUS_PERIOD = milliseconds(5_000);
/** So many within the time in which systemd wants one: a late one does no harm. */
const FEEDINGS = 4;

type Parts = { service: ReturnType<typeof serviceFacts>; timers: Timers; log: Log };

/** Where systemd did not start this process, nobody hears anything. */
export function createSystemd({ service, timers, log }: Parts): Systemd {
  if (!service) return NOBODY;
  const { tell, tellRest, close } = createTelling(service.socket, log);
  let isOver = false;
  const pause = (ms: number) => new Promise<void>((resolve) => timers.after(milliseconds(ms), resolve));
  const showStatus = async (status: () => string, first: string) => {
    for (let told = first; !isOver; ) {
      await pause(STATUS_PERIOD);
      const now = status();
      if (isOver || !tellRest() || now === told) continue;
      tell(`STATUS=${now}`);
      told = now;
    }
  };
  const feed = async (period: number, looked: () => Promise<void>) => {
    for (; !isOver; await pause(period)) {
      await looked();
      if (!isOver && tellRest()) tell("WATCHDOG=1");
    }
  };
  return {
    starting: (status) => tell(`STATUS=${status}`),
    ready({ status, looked }) {
      const first = status();
      const { watchdog } = service;
      // Asked for here, and not by the unit: that may be newer than a version that was gone back to, and which feeds none.
      tell(`READY=1\nSTATUS=${first}${watchdog === undefined ? "" : `\nWATCHDOG_USEC=${watchdog * 1000}`}`);
      void showStatus(status, first);
      if (watchdog !== undefined) void feed(watchdog / FEEDINGS, looked);
    },
    stopping(status) {
      isOver = true;
      tell(`STOPPING=1\nSTATUS=${status}`);
    },
    [Symbol.dispose]() {
      isOver = true;
      close();
    },
  };
}

const NOBODY: Systemd = { starting() {}, ready() {}, stopping() {}, [Symbol.dispose]() {} };

/** That systemd can't be told is no reason to die here, nor to wait: what it did not take is told again, in its order, with what comes next. */
function createTelling(path: string, log: Log) {
  let socket: ReturnType<typeof openNotifySocket> | undefined;
  let unsent: string[] = [];
  let isSilent = false;
  const tellRest = (): boolean => {
    try {
      socket ??= openNotifySocket(path);
      for (const message of unsent) {
        socket.send(message);
        unsent = unsent.slice(1);
      }
    } catch (error) {
      const [state] = unsent;
      if (!isSilent) log.warn("systemd was not told", { state, reason: toFailure(error).message });
      isSilent = true;
      return false;
    }
    isSilent = false;
    return true;
  };
  return {
    tellRest,
    tell(message: string) {
      unsent.push(message);
      tellRest();
    },
    close: () => socket?.[Symbol.dispose](),
  };
}
