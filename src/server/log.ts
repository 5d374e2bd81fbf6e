/** The log of a server. */

import pino from 'pino';
import type { Settings } from '../config.js';
import type { Log } from '../ports.js';

/** A pino logger on standard error, so that standard output stays for results. */
export function createLog(level: Settings['log']['level']): Log {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: false }));
}
