/** What answers of a client to the server have to be like. */

import type { Exchange, ResponseSpoken } from './exchange.js';
import { isInside } from './conversation.js';
import { packageOf } from './inbound-subscribe.js';
import { reporterOf } from './outbound-report.js';
import { everyResponseRules } from './response-rules.js';
import { lacks, type Fault, type ResponseRule } from './rule.js';
import { answeredIn, offeredIn } from './session-media.js';
import { acceptsType } from '../../wire/sip/content-type.js';

/** D-48: whoever takes none of these can be given nothing that was stored. */
const forms = [
  ...['message/sipfrag', 'message/sip', 'message/cpim', 'message/msrp'],
  ...['multipart/mixed', 'text/plain'],
];

export const clientResponseRules: readonly ResponseRule[] = [
  ...everyResponseRules,
  {
    clause: 'IMSpec-DMT-C-001',
    methods: ['NOTIFY'],
    statuses: [405, 489, 501],
    broken: (_response, exchange) =>
      packageOf(exchange) === 'message-summary' ? 'message waiting is not known' : undefined,
  },
  {
    clause: 'S2-PUSH-FLOW',
    methods: ['INVITE'],
    statuses: [405, 420, 501],
    broken: (_response, exchange) => (isPush(exchange) ? 'a push is not known' : undefined),
  },
  {
    clause: 'DLG-01',
    methods: ['INVITE'],
    statuses: [2],
    broken: (response) => lacks(response, 'contact'),
  },
  {
    clause: 'SDP-02',
    methods: ['INVITE'],
    statuses: [2],
    broken: (response, exchange) =>
      isPush(exchange) ? answerFault(response, exchange) : undefined,
  },
  {
    clause: 'MSRP-30',
    methods: ['INVITE'],
    statuses: [2],
    broken: (response, exchange) => {
      const answer = isPush(exchange) && response.whole ? answeredIn(response) : undefined;
      if (answer === undefined) return undefined;
      return forms.some((form) => acceptsType(answer.acceptTypes, form))
        ? undefined
        : `it accepts ${answer.acceptTypes.join(' ') || 'nothing'} only`;
    },
  },
  {
    clause: 'S2-PUSH-FLOW',
    methods: ['BYE'],
    statuses: [405, 501],
    broken: () => 'BYE is not known',
  },
  {
    clause: 'IMDN-01',
    methods: ['MESSAGE'],
    statuses: [405, 501],
    broken: (_response, exchange) =>
      reporterOf(exchange) === undefined ? undefined : 'reports are not known',
  },
  { clause: 'SIP-01', methods: ['*'], statuses: [405], broken: (one) => lacks(one, 'allow') },
  { clause: 'SIP-03', methods: ['*'], statuses: [420], broken: (one) => lacks(one, 'unsupported') },
];

/** An offer of the server to send only. */
export function isPush(exchange: Exchange): boolean {
  const { method, inbound, request } = exchange;
  if (method !== 'INVITE' || inbound || isInside(exchange) || !request.whole) return false;
  return offeredIn(request.message).offer?.direction === 'sendonly';
}

function answerFault(response: ResponseSpoken, { request }: Exchange): Fault {
  if (!response.whole) return undefined;
  const answer = answeredIn(response);
  if (answer === undefined) return 'it has no answer with MSRP';
  if (answer.direction !== 'recvonly' && answer.direction !== 'inactive') {
    return `its answer is ${answer.direction}`;
  }
  const offered = offeredIn(request.message).offer?.setup;
  const isSettled = answer.setup === 'active' || answer.setup === 'passive';
  return offered === 'actpass' && !isSettled
    ? `its answer is set up ${answer.setup ?? 'by nobody'}`
    : undefined;
}
