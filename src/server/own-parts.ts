/** What an embedder brings along that lives in one process, and shards in others. */

import type { ServerParts } from '../server.js';

const own = [
  ...(['store', 'keys', 'clock', 'random', 'provisioning', 'credentials'] as const),
  ...(['policy', 'sockets', 'resolve'] as const),
];

/** The names of those there are; with any of them there is one process. */
export function partsOfOneProcess(parts: ServerParts): readonly (typeof own)[number][] {
  return own.filter((name) => parts[name] !== undefined);
}
