/** What responses of the server have to be like. */

import { tagOf, uriOf } from '../../wire/sip/name-addr.js';
import { parseDigits } from '../../wire/sip/number.js';
import { parseVia } from '../../wire/sip/via.js';
import { isInside } from './conversation.js';
import { cseqOf, type Exchange, type ResponseSpoken } from './exchange.js';
import { isLargeMessage } from './inbound-invitation.js';
import { packageOf } from './inbound-subscribe.js';
import { userOf } from './roles.js';
import { lacks, type Fault, type ResponseRule } from './rule.js';
import { offeredIn, readable } from './session-media.js';

/** Whoever answers. */
export const everyResponseRules: readonly ResponseRule[] = [
  { clause: 'SIP-06', methods: ['*'], statuses: [2, 3, 4, 5, 6], broken: repeatsRequest },
  {
    clause: 'MSG-01',
    methods: ['MESSAGE'],
    statuses: [2],
    broken: ({ message }) => {
      if (message.header('contact') !== undefined) return 'it has a Contact';
      return message.body.length > 0 ? 'it has a body' : undefined;
    },
  },
];

export const responseRules: readonly ResponseRule[] = [
  ...everyResponseRules,
  {
    clause: 'EVT-03',
    methods: ['SUBSCRIBE'],
    statuses: [2],
    broken: (response, { request }) => {
      const missing = lacks(response, 'expires');
      if (missing !== undefined) return missing;
      const asked = parseDigits(request.message.header('expires'));
      const granted = parseDigits(response.message.header('expires'));
      return asked !== undefined && granted !== undefined && granted > asked
        ? `${granted} seconds are granted, ${asked} were asked for`
        : undefined;
    },
  },
  {
    clause: 'IMSpec-DMT-S-002',
    methods: ['SUBSCRIBE'],
    statuses: [405, 480, 486, 489, 501],
    broken: (_response, exchange) =>
      packageOf(exchange) === 'message-summary' ? 'message waiting is not known' : undefined,
  },
  {
    clause: 'IMSpec-DMT-S-006',
    methods: ['INVITE'],
    statuses: [405, 480, 501],
    broken: (_response, exchange) =>
      isRetrieval(exchange) ? 'a retrieval is not known' : undefined,
  },
  {
    clause: 'DLG-01',
    methods: ['SUBSCRIBE', 'INVITE'],
    statuses: [2],
    broken: (response) => lacks(response, 'contact'),
  },
  {
    clause: 'S3-200-SERVER',
    methods: ['INVITE'],
    statuses: [200],
    broken: (response, exchange) => (isRetrieval(exchange) ? lacks(response, 'server') : undefined),
  },
  {
    clause: 'S3-200-ALLOW',
    methods: ['INVITE'],
    statuses: [200],
    broken: (response, exchange) => (isRetrieval(exchange) ? lacks(response, 'allow') : undefined),
  },
  {
    clause: 'S3-200-AUTOMATA',
    methods: ['INVITE'],
    statuses: [200],
    broken: ({ message }, exchange) =>
      isRetrieval(exchange) && !/;\s*automata\b/i.test(message.header('contact') ?? '')
        ? 'its Contact is no automaton'
        : undefined,
  },
  {
    clause: 'S3-200-SDP',
    methods: ['INVITE'],
    statuses: [200],
    broken: (response, exchange) =>
      isRetrieval(exchange) ? answersWith(response, 'sendonly') : undefined,
  },
  {
    clause: 'SDP-02',
    methods: ['INVITE'],
    statuses: [200],
    broken: (response, exchange) =>
      isLargeMessage(exchange) && !isInside(exchange)
        ? answersWith(response, 'recvonly', 'sendrecv')
        : undefined,
  },
  {
    clause: 'PUB-01',
    methods: ['PUBLISH'],
    statuses: [2],
    broken: (response) => lacks(response, 'sip-etag', 'expires'),
  },
  { clause: 'SIP-01', methods: ['*'], statuses: [405], broken: (one) => lacks(one, 'allow') },
  { clause: 'SIP-03', methods: ['*'], statuses: [420], broken: (one) => lacks(one, 'unsupported') },
  {
    clause: 'EVT-03',
    methods: ['SUBSCRIBE', 'PUBLISH', 'REGISTER'],
    statuses: [423],
    broken: (one) => lacks(one, 'min-expires'),
  },
  {
    clause: 'AUTH-01',
    methods: ['*'],
    statuses: [401],
    broken: (response) => {
      const challenges = response.message.fields('www-authenticate');
      if (challenges.length === 0) return 'WWW-Authenticate missing';
      return challenges.some((value) => /^\s*basic\b/i.test(value))
        ? 'Basic is offered'
        : undefined;
    },
  },
];

function isRetrieval(exchange: Exchange): boolean {
  return userOf(exchange.request.message.uri) === 'Deferred' && !isInside(exchange);
}

function answersWith(response: ResponseSpoken, ...directions: readonly string[]): Fault {
  const { message, whole } = response;
  if (!whole) return undefined;
  const { offer } = offeredIn(message);
  if (offer === undefined) return 'it has no answer with MSRP';
  if (offer.direction === 'inactive' || directions.includes(offer.direction)) return undefined;
  return `its answer is ${offer.direction}`;
}

/** RFC 3261 8.2.6.2; `received` and `rport` may have been filled in. */
function repeatsRequest({ message }: ResponseSpoken, { request, responses }: Exchange): Fault {
  const asked = request.message;
  if (asked.method === 'CANCEL') return undefined;
  const vias = message.list('via').map(hopOf);
  if (asked.list('via').map(hopOf).join() !== vias.join()) return 'Via is not that of the request';
  for (const name of ['call-id', 'from'] as const) {
    if (message.header(name) !== asked.header(name)) return `${name} is not that of the request`;
  }
  const [one, other] = [cseqOf(message.header('cseq')), cseqOf(asked.header('cseq'))];
  if (one.number !== other.number) return 'CSeq is not that of the request';
  const tag = tagOf(message.header('to'));
  if (tag === undefined) return 'To has no tag';
  if (uriOf(message.header('to')) !== uriOf(asked.header('to'))) {
    return 'To is not that of the request';
  }
  const before = responses.find(
    (earlier) => earlier.message.status > 100 && earlier.message !== message,
  );
  const first = before && tagOf(before.message.header('to'));
  return first === undefined || first === tag ? undefined : 'To has another tag than before';
}

function hopOf(value: string): string {
  const via = readable(() => parseVia(value));
  return via === undefined ? value : `${via.host.toLowerCase()}:${via.port} ${via.branch}`;
}
