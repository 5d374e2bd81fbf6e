/** MESSAGE comes in: a submission for a served user (RFC 3428, STANDARDS 2.2). */

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
import { asksForPrivacy } from '../wire/sip/privacy.js';
import { terminatingUser } from './identity.js';
import type { Identified, Sender } from './identity.js';
import { receiveDeletionList } from './ingress-deletion.js';
import { forwardFacts } from './ingress-forward.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { methods } from './product.js';
import type { Named } from './served-users.js';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export function receiveMessage(parts: IngressParts, received: Identified): void {
  const { request, transaction, sender } = received;
  const named = recipient(parts, received);
  switch (named.kind) {
    case 'user':
      break;
    case 'delete':
      receiveDeletionList(parts, received);
      return;
    case 'scheme':
      refuse(parts, received, 416);
      return;
    case 'deferred':
      refuse(parts, received, 405, { headers: [['Allow', methods.deferred]] });
      return;
    default:
      refuse(parts, received, 404);
      return;
  }
  if (requiresUnsupported(parts, received, [])) return;
  const at = parts.clock.now();
  const facts = messageFacts(request, named.account, parts.bounds.bodyBytes);
  const message = { ...facts, ...identityFacts(parts, request, sender) };
  parts.submit(named.account, {
    kind: 'message',
    event: {
      type: 'message.received',
      at,
      transaction,
      message,
      limits: parts.limits,
      forward: forwardFacts(parts, received),
    },
    payload: request.bytes,
    sender,
  });
}

/** Whom a trusted peer names as the served user it is for, else the Request-URI. */
function recipient(parts: IngressParts, received: Identified): Named {
  const named = parts.users.named(received.request.uri);
  if (named.kind !== 'user' && named.kind !== 'unknown') return named;
  const served = terminatingUser(received);
  const account = served === undefined ? undefined : parts.users.account(served);
  return account === undefined ? named : { kind: 'user', account };
}

/** D-19, PAI-01, PAI-03: what the recipient may learn of who has sent it. */
function identityFacts(
  { privacy }: IngressParts,
  request: SipRequest,
  { isTrusted, identities }: Sender,
): Pick<MessageFacts, 'authId' | 'untrusted'> {
  const [authId] = privacy && asksForPrivacy(request) ? [] : identities;
  const claims = request.header('p-asserted-identity') ?? request.header('p-preferred-identity');
  return {
    ...(authId !== undefined && { authId }),
    ...(!isTrusted && claims !== undefined && { untrusted: true }),
  };
}

/** What the store has to know of a request that it keeps octet for octet. */
export function messageFacts(
  request: SipRequest,
  account: AccountId,
  cpimBytes: number,
): MessageFacts {
  const from = request.header('from');
  const contentType = request.header('content-type');
  const callId = request.header('call-id') ?? '';
  const priority = request.header('priority')?.toLowerCase();
  const facts: Writable<MessageFacts> = {
    class: 'Pager-Message',
    size: request.bytes.length,
    urgent: priority === 'urgent' || priority === 'emergency',
    from: uriOf(from) ?? '',
    to: uriOf(request.header('to')) ?? request.uri,
    callId,
    digest: digestOf(account, tagOf(from), callId, request.header('cseq')),
    transient: isComposing(contentType),
  };
  if (contentType !== undefined) facts.contentType = contentType;
  const subject = request.header('subject');
  if (subject !== undefined) facts.subject = subject;
  const expires = parseDigits(request.header('expires'));
  if (expires !== undefined) facts.expires = expires;
  const dateField = request.header('date');
  const date = dateField === undefined ? undefined : parseSipDate(dateField);
  if (date !== undefined) facts.date = date;
  if (contentType !== undefined && /^\s*message\/cpim/i.test(contentType)) {
    addCpim(facts, request.body, cpimBytes);
  }
  return facts;
}

/**
 * D-18: recipient, From tag, Call-ID and CSeq. Hashed, for a peer may make each of them long; half
 * of SHA-256 is enough to tell the submissions of a minute apart.
 */
function digestOf(
  account: AccountId,
  fromTag: string | undefined,
  callId: string,
  cseq: string | undefined,
): string {
  return hash('sha256', `${account}\n${fromTag}\n${callId}\n${cseq}`, 'base64url').slice(0, 22);
}

/** RFC 3994: worth nothing to whoever reads it later. */
function isComposing(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*application\/im-iscomposing\+xml/i.test(contentType);
}

/** The content is opaque to the store: a CPIM that cannot be read asks for nothing. */
function addCpim(facts: Writable<MessageFacts>, body: Buffer, cpimBytes: number): void {
  if (body.length > cpimBytes) return;
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
  const imdn = imdnFacts(cpim, contentType);
  if (imdn) facts.imdn = imdn;
}

/** IMDN-03, IMDN-04: never for a report, never to somebody anonymous. */
function imdnFacts(cpim: CpimFacts, contentType: string): ImdnFacts | undefined {
  const { messageId, from, to, dateTime, dispositions, originalTo, recordRoute } = cpim;
  if (messageId === undefined || from === undefined || to === undefined) return undefined;
  const negativeDelivery = dispositions.has('negative-delivery');
  const processing = dispositions.has('processing');
  if (!negativeDelivery && !processing) return undefined;
  if (/^\s*message\/imdn\+xml/i.test(contentType)) return undefined;
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
