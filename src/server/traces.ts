/** Who sees what passes the server: whoever embeds it, and the administration that is asked. */

import type { LadderForm, Ladders } from '../admin/parts.js';
import type { Settings } from '../config.js';
import type { Log } from '../ports.js';
import type { ServerParts } from '../server.js';
import { ladderSvg, ladderText, type Ladder } from '../verify/ladder.js';
import { traceMemory, type TraceMemory } from '../verify/trace-memory.js';
import { turnLog } from './actors.js';

/** What sees messages and turns, and what answers for them. `log`: of who has turns of its own. */
export function tracesOf(
  settings: Settings,
  { trace, turns }: Pick<ServerParts, 'trace' | 'turns'>,
  log?: Log,
) {
  const { admin } = settings;
  const memory = admin && admin.traceOctets > 0 ? traceMemory(admin.traceOctets) : undefined;
  return {
    trace: bothOf(trace, memory?.trace),
    turns: bothOf(turns ?? (log && turnLog(settings, log)), memory?.trace),
    ladders: memory && laddersOf(memory),
  };
}

interface Recorder<Entry> {
  record(entry: Entry): void;
}

function bothOf<Entry>(
  one: Recorder<Entry> | undefined,
  other: Recorder<Entry> | undefined,
): Recorder<Entry> | undefined {
  if (!one || !other) return one ?? other;
  return {
    record: (entry) => {
      one.record(entry);
      other.record(entry);
    },
  };
}

function laddersOf(memory: TraceMemory): Ladders {
  return {
    message: (messageId, account, form) => inForm(memory.message(messageId, account), form),
    call: (callId, form) => inForm(memory.call(callId), form),
  };
}

function inForm(ladder: Ladder, form: LadderForm): string | undefined {
  if (ladder.rungs.length === 0) return undefined;
  if (form === 'json') return JSON.stringify(ladder);
  return form === 'svg' ? ladderSvg(ladder) : ladderText(ladder);
}
