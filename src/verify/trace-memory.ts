/** The last of what passed a running server, held in memory to be asked about. */

import type { Trace, TurnTrace } from '../ports.js';
import { callOf, whyOf, type Ladder } from './ladder.js';
import { lineTrace, readTrace, type TraceRecord } from './trace-record.js';

export interface TraceMemory {
  /** Where messages and turns are told. */
  readonly trace: Trace & TurnTrace;
  /** The life of a message, as far as it is held still. */
  message(messageId: string, account: string): Ladder;
  call(callId: string): Ladder;
}

/** Lines beyond which those that were let go are cleared away. */
const slackMax = 4_096;

/** Holds at most `octetsMax` characters of records, the latest ones. */
export function traceMemory(octetsMax: number): TraceMemory {
  let lines: string[] = [];
  let first = 0;
  let held = 0;
  const keep = (line: string): void => {
    lines.push(line);
    held += line.length;
    while (held > octetsMax) held -= lines[first++]!.length;
    if (first < slackMax) return;
    lines = lines.slice(first);
    first = 0;
  };
  const records = (): readonly TraceRecord[] => readTrace(lines.slice(first).join('')).records;
  return {
    trace: lineTrace(keep, false),
    message: (messageId, account) => whyOf(records(), messageId, account),
    call: (callId) => callOf(records(), callId),
  };
}
