/** How a real trace is changed: messages found, left out, edited, put in. */

import type { Observed } from '../../../src/verify/capture/observed.js';
import type { CheckOptions } from '../../../src/verify/check/check.js';
import { firstLine } from './recorded.js';

export interface Mutated {
  readonly messages: readonly Observed[];
  /** Of the message that violates. */
  readonly at: number;
}

export interface Mutation {
  readonly name: string;
  /** The play of which the trace is. */
  readonly of: string;
  readonly clause: string;
  /** Only who knows that nothing was before it can tell. */
  readonly fromStart?: true;
  /** What else is known of the server. */
  readonly options?: CheckOptions;
  mutate(trace: readonly Observed[]): Mutated;
}

type Find = (one: Observed, text: string) => boolean;

export const line =
  (start: RegExp): Find =>
  (one) =>
    start.test(firstLine(one.bytes));
export const has =
  (start: RegExp, field: RegExp): Find =>
  (one, text) =>
    start.test(firstLine(one.bytes)) && field.test(text);

/** The so many-th message that fits; retransmissions are messages too. */
export function find(trace: readonly Observed[], fits: Find, place = 0): Observed {
  const found = trace.filter((one) => fits(one, one.bytes.toString('latin1')))[place];
  if (found === undefined) throw new Error(`no message ${place} of that kind`);
  return found;
}

/** It and whatever is the same again. */
export function without(trace: readonly Observed[], gone: Observed): Observed[] {
  return trace.filter((one) => !one.bytes.equals(gone.bytes));
}

function replaced(
  trace: readonly Observed[],
  old: Observed,
  change: (text: string) => string,
): Observed[] {
  return trace.map((one) => (one.bytes.equals(old.bytes) ? edited(one, change) : one));
}

/** Content-Length is made to fit. */
export function edited(one: Observed, change: (text: string) => string): Observed {
  const before = one.bytes.toString('latin1');
  const after = change(before);
  if (after === before) throw new Error('the mutation changes nothing');
  if (one.protocol === 'http') return { ...one, bytes: unchunked(after) };
  if (one.protocol === 'msrp') return { ...one, bytes: Buffer.from(after, 'latin1') };
  const end = after.indexOf('\r\n\r\n');
  const length = after.length - end - 4;
  const head = after.slice(0, end).replace(/^Content-Length:.*$/im, `Content-Length: ${length}`);
  return { ...one, bytes: Buffer.from(head + after.slice(end), 'latin1') };
}

/** With the length that it has, in one piece. */
function unchunked(text: string): Buffer {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  const octets = Buffer.from(text.slice(end + 4), 'latin1');
  const isChunked = /^transfer-encoding: chunked/im.test(head);
  const body = isChunked
    ? Buffer.from(
        octets.toString('latin1').replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]*(?:\r\n)*$/gi, ''),
        'latin1',
      )
    : octets;
  const fields = head.replace(/\r\n(?:transfer-encoding|content-length):[^\r]*/gi, '');
  return Buffer.concat([
    Buffer.from(`${fields}\r\nContent-Length: ${body.length}\r\n\r\n`, 'latin1'),
    body,
  ]);
}

/** The whole transaction of a message, and for a SEND the REPORT of it: as if it had not been. */
export function withoutExchange(trace: readonly Observed[], gone: Observed): Observed[] {
  const key = exchangeOf(gone);
  const id = /^Message-ID: .*$/m.exec(gone.protocol === 'msrp' ? String(gone.bytes) : '')?.[0];
  return trace.filter((one) => {
    const isOfId = id !== undefined && String(one.bytes).includes(id);
    return exchangeOf(one) !== key && !isOfId;
  });
}

export function exchangeOf(one: Observed): string {
  const { bytes, protocol } = one;
  const text = bytes.toString('latin1');
  if (protocol === 'msrp') return /^MSRP (\S+)/.exec(text)![1]!;
  if (protocol === 'http') return `http ${one.number}`;
  return `${/^Call-ID:.*$/m.exec(text)?.[0]} ${/^CSeq:.*$/m.exec(text)?.[0]}`;
}

/** A mutation that takes a transaction away; what was owed is missed at another message. */
export function leaveOut(fits: Find, owedSince: Find, places: readonly [number, number] = [0, 0]) {
  return (trace: readonly Observed[]): Mutated => ({
    messages: withoutExchange(trace, find(trace, fits, places[0])),
    at: find(trace, owedSince, places[1]).number,
  });
}

/** A mutation that takes one message away; what was owed is missed at another. */
export function drop(fits: Find, owedSince: Find, places: readonly [number, number] = [0, 0]) {
  return (trace: readonly Observed[]): Mutated => ({
    messages: without(trace, find(trace, fits, places[0])),
    at: find(trace, owedSince, places[1]).number,
  });
}

export function edit(fits: Find, change: (text: string) => string, place = 0) {
  return (trace: readonly Observed[]): Mutated => {
    const old = find(trace, fits, place);
    return { messages: replaced(trace, old, change), at: old.number };
  };
}

export const message = line(/^MESSAGE /);
export const accepted = line(/^SIP\/2.0 202 /);
export const notify = line(/^NOTIFY /);
export const invite = line(/^INVITE /);
export const bye = line(/^BYE /);
export const chunk = has(/^MSRP \S+ SEND/, /^Content-Type: /m);
export const report = line(/^MSRP \S+ REPORT/);
export const answerTo = (status: number, method: string): Find =>
  has(new RegExp(`^SIP/2.0 ${status} `), new RegExp(`^CSeq: \\d+ ${method}\\r$`, 'm'));

/** Two messages change places; numbers and times stay where they are. */
export function swapped(
  trace: readonly Observed[],
  fits: Find,
  places: readonly [number, number],
): Mutated {
  const [one, other] = places.map((place) => find(trace, fits, place)) as [Observed, Observed];
  const messages = trace.map((each) => {
    const put = each === one ? other : each === other ? one : each;
    return { ...put, number: each.number, at: each.at };
  });
  return { messages, at: Math.min(one.number, other.number) };
}

/** A message comes once more, changed, behind another one. */
export function inserted(
  trace: readonly Observed[],
  again: Observed,
  behind: Observed,
  change: (text: string) => string,
): Mutated {
  const place = trace.indexOf(behind) + 1;
  const copy = { ...edited(again, change), at: behind.at };
  const messages = [...trace.slice(0, place), copy, ...trace.slice(place)];
  return { messages: messages.map((one, index) => ({ ...one, number: index + 1 })), at: place + 1 };
}

/** As another transaction, in another call. */
export function fresh(text: string): string {
  if (text.startsWith('MSRP')) {
    const id = /^MSRP (\S+)/.exec(text)![1]!;
    return text.replaceAll(id, 'fresh00001');
  }
  return text
    .replace(/branch=z9hG4bK[^;\r]*/, 'branch=z9hG4bKfresh')
    .replace(/^Call-ID: /m, 'Call-ID: fresh');
}

export const reason = (status: string) => (text: string) =>
  text.replace(/^SIP\/2.0 \d+ [^\r]*/, status);
export const field = (name: string, value: string) => (text: string) =>
  text.replace(new RegExp(`^${name}:.*$`, 'm'), `${name}: ${value}\r`.slice(0, -1));
export const gone = (name: string) => (text: string) =>
  text.replace(new RegExp(`^${name}:[^\\r]*\\r\\n`, 'm'), '');
export const said = (old: string | RegExp, other: string) => (text: string) =>
  text.replace(old, other);

export function lastBefore(trace: readonly Observed[], end: Observed, fits: Find): Observed {
  return trace.filter((one) => one.number < end.number && fits(one, '')).at(-1)!;
}
