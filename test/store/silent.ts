/** A log that keeps quiet. */

import type { Log } from '../../src/ports.js';

export const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
