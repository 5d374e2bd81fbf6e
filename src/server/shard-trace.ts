/** The trace of a server with shards is at its front; a shard tells it what the front does not see. */

import { deserialize, serialize } from 'node:v8';
import type { Trace, TraceEntry, TurnEntry, TurnTrace } from '../ports.js';

/** For a shard: `ownMsrp`, its MSRP does not pass the front. */
export function forwardedTraces(
  send: (octets: Buffer) => void,
  ownMsrp: boolean,
): { readonly trace: Trace; readonly turns: TurnTrace } {
  return {
    trace: {
      record: (entry) => {
        if (entry.protocol === 'xcap' || (entry.protocol === 'msrp' && ownMsrp)) {
          send(serialize(entry));
        }
      },
    },
    turns: { record: (entry) => send(serialize(entry)) },
  };
}

/** For the front: what a shard has told. */
export function recordForwarded(
  octets: Buffer,
  { trace, turns }: { readonly trace?: Trace | undefined; readonly turns?: TurnTrace | undefined },
): void {
  const entry = deserialize(octets) as TraceEntry | TurnEntry;
  if ('protocol' in entry) trace?.record(entry);
  else turns?.record(entry);
}
