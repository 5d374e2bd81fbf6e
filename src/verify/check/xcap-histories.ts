/** Whether a list of metadata agrees with the messages of an account (S1 12.4.2.4, D-80 to D-85). */

import { canonicalAor } from '../../wire/sip/uri.js';
import { parseXml, attributeOf, childrenOf } from '../../wire/xml/tree.js';
import { WireError } from '../../wire/error.js';
import { historyListFrame, historyNamespace } from '../../wire/xml/history.js';
import { parseHistory, parseHistoryList } from '../../wire/xml/history.js';
import type { History } from '../../wire/xml/history.js';
import type { ClauseId } from './clause.js';
import { canonicalMessageId } from './outbound-notify.js';
import { readable } from './session-media.js';
import type { StoredMessage, TrackedAccount } from './tracked-account.js';
import type { Differing } from './user-flow.js';

/** What is listed of a message that has left the store is nothing to complain of for that long. */
export const staleMs = 32_000;
/** A server may add fields to what it stores. */
const addedOctets = 1_024;

/** How a list came to be. */
export interface Asked {
  /** When the question was asked, and when it was answered. */
  readonly at: number;
  readonly until: number;
  /** Whether the message of that Call-ID was known to be stored by then. */
  isSettled(callId: string): boolean;
  /** All that is there; otherwise one of many. */
  readonly isWhole: boolean;
}

/** Undefined where the body is no list, or has an element that is none of a message. */
export function historiesIn(body: Buffer, isWhole: boolean): readonly History[] | undefined {
  return readable(() => {
    if (!isWhole) return [oneIn(body)];
    const all = childrenOf(parseXml(body), 'history', historyNamespace);
    const ofMessages = parseHistoryList(body);
    return all.length === ofMessages.length ? ofMessages : undefined;
  });
}

/** By itself, or as it stands in its document, where the namespace is that of the root. */
function oneIn(body: Buffer): History {
  if (body.includes(historyNamespace)) return parseHistory(body);
  const { start, end } = historyListFrame;
  const [history] = parseHistoryList(Buffer.concat([Buffer.from(start), body, Buffer.from(end)]));
  if (history === undefined) throw new WireError('HISTORY_ROOT', 'there is no history');
  return history;
}

/** The reference that stands twice in a document. */
export function doubledIn(body: Buffer): string | undefined {
  const root = readable(() => parseXml(body));
  const seen = new Set<string>();
  for (const history of root ? childrenOf(root, 'history', historyNamespace) : []) {
    const reference = attributeOf(history, 'history-reference');
    if (reference === undefined) continue;
    if (seen.has(reference)) return reference;
    seen.add(reference);
  }
  return undefined;
}

/**
 * Each listed one is one of the messages, and each of those that are surely stored is listed. What
 * is told of names is remembered where it can be told of which message it is.
 */
export function agreement(
  account: TrackedAccount,
  histories: readonly History[],
  asked: Asked,
): TrackedAccount | Differing {
  const { names, serials } = account.notes;
  const rows = new Map(account.listable(asked.at - staleMs).map((one) => [one.serial, one]));
  const unnamed: History[] = [];
  const listed = new Set<number>();
  for (const history of histories) {
    const serial = serials.get(canonicalMessageId(history.reference));
    const row = serial === undefined ? undefined : rows.get(serial);
    if (serial === undefined) unnamed.push(history);
    else if (row === undefined) return differs('S1-META-DEL', `${told(history)} is not stored`);
    else if (!fits(history, row)) return differs('S1-META-ADD', `${told(history)} is not so`);
    else listed.add(serial);
  }
  const isSure = ({ serial, message, isGone, isOfBefore }: StoredMessage): boolean =>
    asked.isWhole &&
    !isGone &&
    !isOfBefore &&
    account.keeps(serial, asked.until) &&
    asked.isSettled(message.callId);
  const free = [...rows.values()].filter(({ serial }) => !listed.has(serial));
  const missing = free.find((one) => names.has(`${one.serial}`) && isSure(one));
  if (missing !== undefined) return lacking(missing);
  const groups = new Groups(
    free.filter(({ serial }) => !names.has(`${serial}`)),
    unnamed,
  );
  const { lacks, certain } = groups.pair(isSure);
  if (lacks !== undefined) return lacking(lacks);
  if (groups.unknown > 0) {
    const [first] = groups.left;
    return { ...differs('S1-META-DEL', `${told(first!)} is not stored`), unknown: groups.unknown };
  }
  let next = account;
  for (const [{ serial }, { reference }] of certain) {
    next = next.withName(serial, canonicalMessageId(reference));
  }
  return next;
}

type Pair = readonly [StoredMessage, History];

interface Paired {
  /** A message that has to be listed, and is not. */
  readonly lacks: StoredMessage | undefined;
  readonly certain: readonly Pair[];
}

/** Messages without names and histories that may be theirs, by whom they are from. */
class Groups {
  readonly #rows = new Map<string, StoredMessage[]>();
  readonly #histories = new Map<string, History[]>();
  /** Of messages nothing is known of. */
  readonly #before: StoredMessage[] = [];
  /** Histories that none of the known messages is. */
  readonly left: History[] = [];

  constructor(rows: readonly StoredMessage[], histories: readonly History[]) {
    for (const row of rows) {
      if (row.isOfBefore) this.#before.push(row);
      else add(this.#rows, userIn(row.message.from), row);
    }
    for (const history of histories) add(this.#histories, userIn(history.pager.from), history);
  }

  /** How many histories are of no message at all. */
  get unknown(): number {
    return Math.max(0, this.left.length - this.#before.length);
  }

  pair(isSure: (row: StoredMessage) => boolean): Paired {
    const certain: Pair[] = [];
    for (const [from, rows] of this.#rows) {
      const histories = this.#histories.get(from) ?? [];
      const open = new Set(histories);
      const isCertain = rows.length === histories.length || isOneOf(rows, histories);
      const taken = new Set<StoredMessage>();
      for (const row of rows.filter(isSure)) {
        const history = first(open, (one) => fits(one, row));
        if (history === undefined) return { lacks: row, certain };
        open.delete(history);
        taken.add(row);
        if (isCertain) certain.push([row, history]);
      }
      const others = new Set(rows.filter((row) => !taken.has(row)));
      for (const history of open) {
        const row = first(others, (one) => fits(history, one));
        if (row === undefined) continue;
        open.delete(history);
        others.delete(row);
        if (isCertain) certain.push([row, history]);
      }
      this.#histories.set(from, [...open]);
    }
    this.left.push(...[...this.#histories.values()].flat());
    if (this.left.length === this.#before.length) {
      this.#before.forEach((row, place) => certain.push([row, this.left[place]!]));
    }
    return { lacks: undefined, certain };
  }
}

/** Whether there is one history, and one message that it can be of. */
function isOneOf(rows: readonly StoredMessage[], histories: readonly History[]): boolean {
  const [history, ...others] = histories;
  if (history === undefined || others.length > 0) return false;
  return rows.filter((row) => fits(history, row)).length === 1;
}

/** What both say is the same; who leaves something out says nothing of it. */
function fits(history: History, { message, isOfBefore }: StoredMessage): boolean {
  if (isOfBefore) return true;
  const { subject, size, pager, date } = history;
  const { subject: own, size: octets, class: kind } = message;
  if (userIn(pager.from) !== userIn(message.from)) return false;
  if (subject !== undefined && isPlain(subject) && subject.trim() !== (own ?? '').trim()) {
    return false;
  }
  if (kind === 'Pager-Message' && size > octets + addedOctets) return false;
  const sent = date === undefined ? NaN : Date.parse(date);
  return message.date === undefined || !(Math.abs(sent - message.date) >= 1_000);
}

/** Others cannot all be written in XML as they came in SIP. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function userIn(uri: string): string {
  return canonicalAor(uri) ?? '';
}

function add<One>(groups: Map<string, One[]>, name: string, one: One): void {
  const group = groups.get(name);
  if (group) group.push(one);
  else groups.set(name, [one]);
}

function first<One>(some: Iterable<One>, isIt: (one: One) => boolean): One | undefined {
  for (const one of some) if (isIt(one)) return one;
  return undefined;
}

function told({ reference, subject, pager }: History): string {
  const about = subject === undefined ? '' : ` about ${JSON.stringify(subject)}`;
  return `history ${reference} from ${pager.from}${about}`;
}

function lacking({ message: { callId } }: StoredMessage): Differing {
  return differs('S1-META-ADD', `no history of the message of Call-ID ${callId}`);
}

function differs(clause: ClauseId, found: string): Differing {
  return { clause, found, unknown: 0 };
}
