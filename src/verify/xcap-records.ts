/** XCAP of a trace that has to do with a message: what is kept of it, and who reads the list. */

import type { WireRecord } from './trace-record.js';

/** A message of some users: their accounts, its number, and how long it was there. */
export interface MessageLife {
  readonly accounts: ReadonlySet<string>;
  readonly serials: ReadonlySet<number>;
  readonly from: number;
  readonly to: number;
}

/**
 * Requests about the history of the message, those about whole documents of the user while it was
 * there, and what they were answered: HTTP/1.1 answers in the order of its questions.
 */
export function xcapOf(records: readonly WireRecord[], life: MessageLife): WireRecord[] {
  const asked = new Map<string, boolean[]>();
  return records.filter(({ kind, at, direction, local, remote, head }) => {
    if (kind !== 'xcap') return false;
    const isAnswer = head.startsWith('HTTP/');
    // Its answer goes the other way, and both ends may write into one trace.
    const asksInward = isAnswer === (direction === 'out');
    const connection = `${asksInward ? 'in' : 'out'} ${local} ${remote}`;
    const waiting = asked.get(connection) ?? [];
    if (isAnswer) return waiting.shift() ?? false;
    const isConcerned = isAbout(pathOf(head), at, life);
    waiting.push(isConcerned);
    asked.set(connection, waiting);
    return isConcerned;
  });
}

function isAbout(path: string, at: number, { accounts, serials, from, to }: MessageLife): boolean {
  const account = /\/users\/(?:sips?:|tel:)?([^/]+)/.exec(path)?.[1];
  if (account === undefined || !accounts.has(account)) return false;
  const reference = /history-reference="?(?:sips?:)?(\d+)/.exec(path)?.[1];
  if (reference !== undefined) return serials.has(Number(reference));
  return at >= from && at <= to;
}

/** Method and path, or status, as a rung says it. */
export function xcapLabel(head: string): string {
  const [first = ''] = head.split('\r\n', 1);
  const status = /^HTTP\/[\d.]+ (.*)$/.exec(first)?.[1];
  if (status !== undefined) return `XCAP ${status}`;
  return `XCAP ${first.split(' ', 1)[0]!} ${pathOf(head).replace(/^.*\/users\//, '')}`;
}

function pathOf(head: string): string {
  return decoded(head.split(' ', 2)[1] ?? '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no percent-encoding, and refused by whoever it was sent to
  }
}

/** Users of the path and of header fields, encoded or not, by what `token` makes of them. */
export function withoutXcapUsers(head: string, token: (user: string) => string): string {
  const end = head.indexOf('\r\n');
  const [start, rest] = end < 0 ? [head, ''] : [head.slice(0, end), head.slice(end)];
  const path = start.replace(
    /(\/users\/(?:(?:sips?|tel)(?::|%3a))?)((?:(?!%40)[^/@\s])+)/i,
    (_whole, before: string, user: string) => before + token(decoded(user)),
  );
  return path + rest;
}
