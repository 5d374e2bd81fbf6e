/** What is written of a server's messages and turns: one JSON value in a line, without bodies. */

import { createHash } from 'node:crypto';
import type { Trace, TraceEntry, TurnEntry, TurnTrace } from '../ports.js';
import { withoutXcapUsers } from './xcap-records.js';

/** A message at the boundary of the server; `head` is everything but its body. */
export interface WireRecord {
  readonly kind: 'sip' | 'msrp' | 'xcap';
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly local: string;
  readonly remote: string;
  readonly head: string;
}

export interface ToldRecord {
  readonly by?: string;
  readonly to: string;
  readonly type: string;
  readonly callId?: string;
  readonly serial?: number;
}

/** What the actors of an account told each other in one turn. */
export interface TurnRecord {
  readonly kind: 'turn';
  readonly at: number;
  readonly account: string;
  readonly told: readonly ToldRecord[];
}

export type TraceRecord = WireRecord | TurnRecord;

/** Octets of a head beyond which it is cut. */
export const headMax = 8_192;
/** What one turn may say. */
const toldMax = 200;

/** Records messages and turns as lines. `hashed`: users in URIs are told apart, but not named. */
export function lineTrace(write: (line: string) => void, hashed: boolean): Trace & TurnTrace {
  return {
    record: (entry: TraceEntry | TurnEntry) => {
      const record = 'protocol' in entry ? wireRecord(entry, hashed) : turnRecord(entry, hashed);
      write(`${JSON.stringify(record)}\n`);
    },
  };
}

function wireRecord(entry: TraceEntry, hashed: boolean): WireRecord {
  const { protocol, at, direction, local, remote, bytes } = entry;
  const end = protocol !== 'msrp' ? bytes.indexOf('\r\n\r\n') : -1;
  const head = bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, headMax));
  const text = head.toString('latin1');
  if (!hashed) return { kind: protocol, at, direction, local, remote, head: text };
  const named = protocol === 'xcap' ? xcapWithoutUsers(text) : withoutUsers(text);
  return { kind: protocol, at, direction, local, remote, head: named };
}

function turnRecord({ account, at, told }: TurnEntry, hashed: boolean): TurnRecord {
  return {
    kind: 'turn',
    at,
    account: hashed ? account.replace(/^[^@]+/, token) : account,
    told: told.slice(0, toldMax).map(({ by, to, event }) => {
      const facts = event as { readonly serial?: unknown; readonly message?: unknown };
      const message = facts.message as { readonly callId?: unknown } | undefined;
      return {
        ...(by !== undefined && { by }),
        ...{ to, type: event.type },
        ...(typeof message?.callId === 'string' && { callId: message.callId }),
        ...(typeof facts.serial === 'number' && { serial: facts.serial }),
      };
    }),
  };
}

/** The path names users in a form of its own, which the fields behind it have not. */
function xcapWithoutUsers(head: string): string {
  const [start = '', ...fields] = withoutXcapUsers(head, token).split('\r\n');
  return [start, ...fields.map(withoutUsers)].join('\r\n');
}

/** Message-IDs of this server are numbers, which name nobody. */
function withoutUsers(head: string): string {
  return head.replace(
    /(sips?:|tel:)([^@\s;<>"]+)(?=@|[;>"\s]|$)/g,
    (whole: string, scheme: string, user: string) =>
      /^\d{1,15}$/.test(user) && scheme !== 'tel:' ? whole : scheme + token(user),
  );
}

function token(user: string): string {
  return `u${createHash('sha256').update(user).digest('hex').slice(0, 10)}`;
}

/** The records of a file; lines that are none are counted, for a crash may cut the last one. */
export function readTrace(text: string): { records: TraceRecord[]; unreadable: number } {
  const records: TraceRecord[] = [];
  let unreadable = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const record = recordOf(line);
    if (record === undefined) unreadable++;
    else records.push(record);
  }
  return { records, unreadable };
}

function recordOf(line: string): TraceRecord | undefined {
  try {
    const value = JSON.parse(line) as Partial<TraceRecord> | null;
    if (typeof value !== 'object' || value === null || typeof value.at !== 'number') return;
    if (value.kind === 'turn') {
      return Array.isArray(value.told) && typeof value.account === 'string'
        ? (value as TurnRecord)
        : undefined;
    }
    const isWire = value.kind === 'sip' || value.kind === 'msrp' || value.kind === 'xcap';
    return isWire && typeof value.head === 'string' ? (value as WireRecord) : undefined;
  } catch {
    return undefined; // cut off, or not ours
  }
}
