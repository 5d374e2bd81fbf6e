/** What requests of a client have to be like. */

import { cpimFacts, parseCpim } from '../../wire/cpim.js';
import { namesImTag } from '../../wire/sip/accept-contact.js';
import { acceptsType } from '../../wire/sip/content-type.js';
import { uriOf } from '../../wire/sip/name-addr.js';
import { bodyParts } from '../../actors/request-body.js';
import type { ClauseId } from './clause.js';
import { isInside } from './conversation.js';
import type { Exchange, RequestSpoken } from './exchange.js';
import { isLargeMessage } from './inbound-invitation.js';
import { packageOf } from './inbound-subscribe.js';
import { reporterOf } from './outbound-report.js';
import { datagramFault, formFault, reportFault } from './request-rules.js';
import { userOf } from './roles.js';
import { lacks, type Fault, type RequestRule } from './rule.js';
import { offeredIn, readable } from './session-media.js';

const bodyBytes = 16_777_216;
const listType = 'application/resource-lists+xml';
const summaryType = 'application/simple-message-summary';
const listOption = 'recipient-list-invite';

export const clientRequestRules: readonly RequestRule[] = [
  { clause: 'SIP-20', methods: ['*'], broken: formFault },
  {
    clause: 'DLG-01',
    methods: ['INVITE', 'SUBSCRIBE', 'REFER'],
    broken: (request) => lacks(request, 'contact'),
  },
  {
    clause: 'IMSpec-DMO-C-010',
    methods: ['SUBSCRIBE'],
    broken: (request, exchange) => {
      const accept = request.message.fields('accept');
      const isOfWaiting = packageOf(exchange) === 'message-summary';
      return isOfWaiting && accept.length > 0 && !acceptsType(accept, summaryType)
        ? `Accept does not name ${summaryType}`
        : undefined;
    },
  },
  { clause: 'LIST-01', methods: ['INVITE', 'MESSAGE'], broken: listFault },
  ...(['IMSpec-DMT-C-002', 'IMSpec-DMT-C-003'] as const).map((clause): RequestRule => ({
    clause,
    methods: ['INVITE'],
    broken: (request, exchange) =>
      retrievalClause(exchange) === clause ? retrievalFault(request) : undefined,
  })),
  {
    clause: 'LIST-05',
    methods: ['INVITE'],
    broken: (request, exchange) =>
      isInside(exchange) && listsIn(request).length > 0 ? 'a re-INVITE has a list' : undefined,
  },
  {
    clause: 'D-15',
    methods: ['INVITE'],
    broken: (request, exchange) =>
      isLargeMessage(exchange) && !isInside(exchange) ? largeFault(request) : undefined,
  },
  {
    clause: 'D-31',
    methods: ['REFER'],
    broken: (request) => {
      const target = uriOf(request.message.header('refer-to'));
      if (target === undefined) return 'Refer-To missing';
      if (!/^cid:/i.test(target) || !request.whole) return undefined;
      return listsIn(request).length > 0 ? undefined : 'Refer-To names a list that is not there';
    },
  },
  {
    clause: 'MSG-01',
    methods: ['MESSAGE'],
    broken: ({ message }) =>
      message.header('contact') === undefined ? undefined : 'it has a Contact',
  },
  { clause: 'MSG-08', methods: ['MESSAGE'], broken: datagramFault },
  {
    clause: 'IMDN-03',
    methods: ['MESSAGE'],
    broken: (request, exchange) =>
      reporterOf(exchange) === undefined ? undefined : reportFault(request),
  },
  {
    clause: 'IMDN-05',
    methods: ['MESSAGE'],
    broken: (request, exchange) =>
      reporterOf(exchange) === undefined ? wishFault(request) : undefined,
  },
  { clause: 'PUB-01', methods: ['PUBLISH'], broken: (request) => lacks(request, 'event') },
];

/** Undefined: it is no retrieval. */
function retrievalClause(exchange: Exchange): ClauseId | undefined {
  const { message } = exchange.request;
  if (exchange.method !== 'INVITE' || isInside(exchange)) return undefined;
  if (userOf(message.uri) !== 'Deferred') return undefined;
  const { list } = offeredIn(message);
  return list === undefined ? 'IMSpec-DMT-C-003' : 'IMSpec-DMT-C-002';
}

function retrievalFault({ message, whole }: RequestSpoken): Fault {
  if (!namesImTag(message.fields('accept-contact'))) {
    return 'Accept-Contact does not ask for +g.oma.sip-im';
  }
  if (!whole) return undefined;
  const { offer } = offeredIn(message);
  if (offer === undefined) return 'there is no offer with MSRP';
  if (offer.direction !== 'recvonly') return `the offer is ${offer.direction}`;
  return offer.acceptTypes.length === 0 ? 'the offer accepts nothing' : undefined;
}

function largeFault({ message, whole }: RequestSpoken): Fault {
  if (!whole) return undefined;
  const { offer } = offeredIn(message);
  if (offer === undefined) return 'there is no offer with MSRP';
  const sends = offer.direction === 'sendonly' || offer.direction === 'sendrecv';
  return sends ? undefined : `who brings a message offers ${offer.direction}`;
}

/** LIST-01, and D-31: a list is for the recipient, and an INVITE says that it has one. */
function listFault(request: RequestSpoken, exchange: Exchange): Fault {
  const { message, whole } = request;
  const isInvite = exchange.method === 'INVITE';
  const isDeletion = exchange.method === 'MESSAGE' && userOf(message.uri) === 'Delete';
  if (!whole || isInside(exchange) || (!isInvite && !isDeletion)) return undefined;
  const lists = listsIn(request);
  const requires = message.list('require').some((one) => one.toLowerCase() === listOption);
  if (lists.some((disposition) => disposition !== 'recipient-list')) {
    return 'the Content-Disposition of its list is not recipient-list';
  }
  if (isDeletion) return lists.length === 0 ? 'it has no list' : undefined;
  if (lists.length > 0 && !requires) return `Require lacks ${listOption}`;
  return lists.length === 0 && requires ? `it requires ${listOption} and has no list` : undefined;
}

/** The dispositions of its lists of URIs. */
function listsIn({ message, whole }: RequestSpoken): (string | undefined)[] {
  if (!whole) return [];
  const parts = readable(() => bodyParts(message, bodyBytes)) ?? [];
  return parts.filter(({ type }) => type === listType).map(({ disposition }) => disposition);
}

/** RFC 5438 7.1.1: who asks for reports says of which message, and of when it is. */
function wishFault({ message, whole }: RequestSpoken): Fault {
  if (!whole || !/^\s*message\/cpim/i.test(message.header('content-type') ?? '')) return undefined;
  const cpim = readable(() => parseCpim(message.body));
  if (cpim === undefined) return 'it is no CPIM';
  const { dispositions, messageId, dateTime } = cpimFacts(cpim);
  if (dispositions.size === 0) return undefined;
  if (messageId === undefined) return 'it asks for reports and has no imdn.Message-ID';
  return dateTime === undefined ? 'it asks for reports and has no DateTime' : undefined;
}
