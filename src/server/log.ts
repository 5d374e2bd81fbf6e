/** The log of a server. */

import pino from 'pino';
import type { Settings } from '../config.js';
import type { Clock, Log } from '../ports.js';
import { systemClock } from '../system.js';
import { LogLimit } from './log-limit.js';

type Level = Settings['log']['level'];
type LogArguments = Parameters<pino.LogFn>;

/** Warnings and errors come of what others do, and are bounded; who asks for more gets all of it. */
const boundedFrom = pino.levels.values['warn']!;

/**
 * A pino logger on standard error, so that standard output stays for results. Of warnings and errors
 * with the same `msg` so many a second are written; behind them a line with `suppressed` says how
 * many more there were.
 */
export function createLog(
  level: Level,
  linesPerSecond = 20,
  to: pino.DestinationStream = pino.destination({ dest: 2, sync: false }),
  clock: Pick<Clock, 'after'> = systemClock,
): Log {
  const log = pino({ level, base: null, hooks: { logMethod } }, to);
  const limit = new LogLimit(linesPerSecond, clock, (text, suppressed) => {
    log.warn({ suppressed }, text);
  });
  function logMethod(this: pino.Logger, args: LogArguments, write: pino.LogFn, severity: number) {
    if (severity < boundedFrom || limit.admits(args[1] ?? '')) write.apply(this, args);
  }
  return log;
}
