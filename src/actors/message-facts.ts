/** What the store has to know of a message: facts of its request and of the content. */

import { hash } from 'node:crypto';
import type { ImdnFacts, MessageFacts } from '../machines/events.js';
import type { AccountId } from '../ports.js';
import { cpimFacts, parseCpim } from '../wire/cpim.js';
import type { CpimFacts } from '../wire/cpim.js';
import { WireError } from '../wire/error.js';
import { parseSipDate } from '../wire/sip/date.js';
import type { SipRequest } from '../wire/sip/message.js';
import { tagOf, uriOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What header fields of a request say of its message, be it a MESSAGE or an INVITE. */
export type RequestFacts = Omit<
  MessageFacts,
  'size' | 'digest' | 'contentType' | 'transient' | 'imdn' | 'expires'
>;

export function requestFacts(
  request: SipRequest,
  messageClass: MessageFacts['class'],
): Writable<RequestFacts> {
  const priority = request.header('priority')?.toLowerCase();
  const facts: Writable<RequestFacts> = {
    class: messageClass,
    urgent: priority === 'urgent' || priority === 'emergency',
    from: uriOf(request.header('from')) ?? '',
    to: uriOf(request.header('to')) ?? request.uri,
    callId: request.header('call-id') ?? '',
  };
  const subject = request.header('subject');
  if (subject !== undefined) facts.subject = subject;
  const dateField = request.header('date');
  const date = dateField === undefined ? undefined : parseSipDate(dateField);
  if (date !== undefined) facts.date = date;
  return facts;
}

/** What the store has to know of a request that it keeps octet for octet. */
export function messageFacts(
  request: SipRequest,
  account: AccountId,
  cpimBytes: number,
): Writable<MessageFacts> {
  const contentType = request.header('content-type');
  const facts = requestFacts(request, 'Pager-Message') as Writable<MessageFacts>;
  const tag = tagOf(request.header('from'));
  facts.size = request.bytes.length;
  facts.digest = submissionDigest(account, `${tag}`, facts.callId, `${request.header('cseq')}`);
  facts.transient = isComposing(contentType);
  if (contentType !== undefined) facts.contentType = contentType;
  const expires = parseDigits(request.header('expires'));
  if (expires !== undefined) facts.expires = expires;
  if (isCpim(contentType) && request.body.length <= cpimBytes) addCpim(facts, request.body);
  return facts;
}

/**
 * D-18: recipient, From tag, Call-ID and CSeq; of a large message its MSRP Message-ID. Hashed, for a
 * peer may make each of them long; half of SHA-256 is enough to tell the submissions of a minute
 * apart.
 */
export function submissionDigest(account: AccountId, ...names: readonly string[]): string {
  let text = account;
  for (const name of names) text += `\n${name}`;
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/** RFC 3994: worth nothing to whoever reads it later. */
export function isComposing(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*application\/im-iscomposing\+xml/i.test(contentType);
}

export function isCpim(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*message\/cpim/i.test(contentType);
}

/**
 * The content is opaque to the store: a CPIM that cannot be read asks for nothing. Its beginning
 * is enough.
 */
export function addCpim(facts: Writable<MessageFacts>, body: Buffer): void {
  let contentType: string;
  let cpim: CpimFacts;
  try {
    const parsed = parseCpim(body);
    contentType = parsed.contentType;
    cpim = cpimFacts(parsed);
  } catch (error) {
    if (error instanceof WireError) return;
    throw error;
  }
  if (isComposing(contentType)) facts.transient = true;
  if (isReport(contentType)) facts.notification = true;
  const imdn = imdnFacts(cpim, contentType);
  if (imdn) facts.imdn = imdn;
}

/** RFC 5438 7.2.1: what is inside tells of another message. */
function isReport(contentType: string): boolean {
  return /^\s*message\/imdn\+xml/i.test(contentType);
}

/** IMDN-03, IMDN-04: never for a report, never to somebody anonymous. */
function imdnFacts(cpim: CpimFacts, contentType: string): ImdnFacts | undefined {
  const { messageId, from, to, dateTime, dispositions, originalTo, recordRoute } = cpim;
  if (messageId === undefined || from === undefined || to === undefined) return undefined;
  const negativeDelivery = dispositions.has('negative-delivery');
  const processing = dispositions.has('processing');
  if (!negativeDelivery && !processing) return undefined;
  if (isReport(contentType)) return undefined;
  if (/@anonymous\.invalid$/i.test(from)) return undefined;
  return {
    id: messageId,
    dateTime: dateTime ?? '',
    from,
    to,
    negativeDelivery,
    processing,
    ...(originalTo !== undefined && { originalTo }),
    ...(recordRoute.length > 0 && { recordRoute }),
  };
}
