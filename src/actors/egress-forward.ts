/** What is passed on to a user who is available, and what comes back (RFC 3261 16.6, D-12). */

import type { Address, Leg, TargetFacts } from '../machines/events.js';
import type { Log, SipOutgoing, SipPort } from '../ports.js';
import { WireError } from '../wire/error.js';
import { parseCseq } from '../wire/sip/cseq.js';
import { longName } from '../wire/sip/header-name.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { tagOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { parseSip } from '../wire/sip/parse.js';
import { asksForPrivacy } from '../wire/sip/privacy.js';
import type { AnswerParts, Submission } from './account-world.js';
import { formatOwner } from './owner.js';
import type { OwnerName } from './owner.js';
import { refusal } from './answers.js';
import type { Product } from './product.js';

export interface ForwardParts {
  readonly sip: SipPort;
  readonly log: Log;
  readonly product: Product;
  /** Whether Privacy: id is honoured towards recipients (PAI-03). */
  readonly privacy: boolean;
  tell(account: OwnerName['account'], to: Address, event: PassingEvent): void;
}

/** Limits are added by whoever passes it on. */
export type PassingEvent =
  | { readonly type: 'forward.failed' | 'invite.cancelled' }
  | { readonly type: 'leg.failed'; readonly leg: Leg };

/** The id of a request that is passed on; `fork` tells apart those of one actor. */
function forwardId(fork = 0): string {
  return fork === 0 ? 'forward' : `forward-${fork}`;
}

export function isForwardId(id: string): boolean {
  return id === 'forward' || id.startsWith('forward-');
}

/** Fields that belong to one hop or that the port writes. */
export const hopFields: ReadonlySet<string> = new Set([
  'via',
  'route',
  'max-forwards',
  'from',
  'to',
  'call-id',
  'cseq',
  'content-length',
]);
/** Meant for this server, and no business of the user (D-13, RFC 5502 4.3). */
const ownFields: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'p-served-user',
]);
export const identityFields: ReadonlySet<string> = new Set([
  'p-asserted-identity',
  'p-preferred-identity',
]);

/** The MESSAGE goes on with its Call-ID, CSeq and From tag, so that a loop is found out (482). */
export function forwardMessage(
  parts: ForwardParts,
  owner: OwnerName,
  { target, fork }: { readonly target: TargetFacts; readonly fork?: number },
  { submission }: AnswerParts = {},
): void {
  const request = submission && readable(parts, submission);
  if (!request) {
    parts.tell(owner.account, owner.address as Address, { type: 'forward.failed' });
    return;
  }
  const outgoing = outgoingOf(parts, owner, target, request, submission);
  parts.sip.request({ ...outgoing, id: forwardId(fork) });
}

/** A final response as it came; the fields of the hop are those of the transaction here. */
export function passResponse(
  { sip, product }: ForwardParts,
  transaction: string,
  { response }: AnswerParts = {},
): void {
  if (!response) {
    sip.respond(transaction, refusal(500, product));
    return;
  }
  const { status, reason, body } = response;
  const headers = response.all().filter(([name]) => !hopFields.has(longName(name)));
  const localTag = tagOf(response.header('to'));
  sip.respond(transaction, {
    ...{ status, reason, headers },
    ...(body.length > 0 && { body }),
    ...(localTag !== undefined && { localTag }),
  });
}

/** Undefined: it cannot be read again, which is for the log. */
export function readable(
  { log }: Pick<ForwardParts, 'log'>,
  { bytes }: Submission,
): SipRequest | undefined {
  try {
    const message = parseSip(bytes, { bodyBytes: bytes.length, headerBytes: bytes.length });
    return message.kind === 'request' ? message : undefined;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    log.warn({ code: error.code }, 'a message cannot be passed on');
    return undefined;
  }
}

/** The request one hop further. */
export function outgoingOf(
  parts: ForwardParts,
  owner: OwnerName,
  target: TargetFacts,
  request: SipRequest,
  submission: Submission,
): SipOutgoing {
  const from = request.header('from') ?? '';
  const localTag = tagOf(from);
  const hops = parseDigits(request.header('max-forwards')) ?? 70;
  return {
    owner: formatOwner(owner),
    id: forwardId(),
    method: request.method,
    uri: target.uri,
    from: withoutTag(from),
    to: withoutTag(request.header('to') ?? ''),
    route: target.route,
    headers: [
      ['Max-Forwards', String(Math.max(0, hops - 1))],
      ...identityOf(parts, target, request, submission),
      ...passedFields(parts, target, request, submission),
    ],
    ...(request.body.length > 0 && { body: request.body }),
    callId: request.header('call-id') ?? '',
    cseq: parseCseq(request.header('cseq') ?? '').number,
    ...(localTag !== undefined && { localTag }),
  };
}

/** Everything end to end, in its order (RFC 3261 16.6 step 1). */
function passedFields(
  parts: ForwardParts,
  target: TargetFacts,
  request: SipRequest,
  { sender }: Submission,
): HeaderField[] {
  const hidden = !sender.isTrusted || hidesIdentity(parts, target, request);
  return request.all().filter(([name]) => {
    const long = longName(name);
    if (hopFields.has(long) || ownFields.has(long)) return false;
    return !(hidden && identityFields.has(long));
  });
}

/** PAI-01: what a stranger asserts does not count; who has authenticated is asserted by us. */
function identityOf(
  parts: ForwardParts,
  target: TargetFacts,
  request: SipRequest,
  { sender }: Submission,
): HeaderField[] {
  const [identity] = sender.identities;
  if (sender.isTrusted || identity === undefined) return [];
  if (hidesIdentity(parts, target, request)) return [];
  return [['P-Asserted-Identity', `<${identity}>`]];
}

/** PAI-03: an S-CSCF keeps it from the user; a user who is reached directly does not see it. */
function hidesIdentity(
  { privacy }: ForwardParts,
  { trusted }: TargetFacts,
  request: SipRequest,
): boolean {
  return privacy && trusted !== true && asksForPrivacy(request);
}

/** The address with its display name and parameters as written. */
function withoutTag(value: string): string {
  const end = value.lastIndexOf('>');
  const start = end < 0 ? value.indexOf(';') : end + 1;
  const address = start < 0 ? value : value.slice(0, start);
  const params = start < 0 ? '' : value.slice(start).replace(/;\s*tag\s*=\s*[^;]*/gi, '');
  return end < 0 ? `<${address.trim()}>${params}` : `${address}${params}`;
}
