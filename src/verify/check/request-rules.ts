/** What requests of the server have to be like. */

import { cpimFacts, parseCpim } from '../../wire/cpim.js';
import { partHeader } from '../../wire/multipart.js';
import { parseMessageSummary } from '../../wire/message-summary.js';
import { WireError } from '../../wire/error.js';
import { namesImTag } from '../../wire/sip/accept-contact.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { parseVia } from '../../wire/sip/via.js';
import { isInside } from './conversation.js';
import type { RequestSpoken } from './exchange.js';
import { packageOf } from './inbound-subscribe.js';
import { reporterOf } from './outbound-report.js';
import { lacks, type Fault, type RequestRule } from './rule.js';
import { offeredIn, readable } from './session-media.js';

const datagramMax = 1_300;

export const requestRules: readonly RequestRule[] = [
  {
    clause: 'SIP-20',
    methods: ['*'],
    broken: formFault,
  },
  {
    clause: 'EVT-04',
    methods: ['NOTIFY'],
    broken: (request) => {
      const { message } = request;
      const missing = lacks(request, 'subscription-state', 'event', 'contact');
      if (missing !== undefined) return missing;
      const [state = '', ...params] = message.header('subscription-state')!.split(';');
      const isActive = /^\s*(?:active|pending)\s*$/i.test(state);
      const left = params.some((param) => /^\s*expires\s*=\s*\d+\s*$/i.test(param));
      return isActive && !left ? 'Subscription-State does not say for how long' : undefined;
    },
  },
  {
    clause: 'MWI-02',
    methods: ['NOTIFY'],
    broken: (request, exchange) =>
      packageOf(exchange) === 'message-summary' ? summaryFault(request) : undefined,
  },
  {
    clause: 'D-47',
    methods: ['INVITE'],
    broken: (request, exchange) => (isInside(exchange) ? undefined : pushFault(request)),
  },
  {
    clause: 'MSG-01',
    methods: ['MESSAGE'],
    broken: ({ message }) =>
      message.header('contact') === undefined ? undefined : 'it has a Contact',
  },
  {
    clause: 'MSG-08',
    methods: ['MESSAGE'],
    broken: datagramFault,
  },
  {
    clause: 'IMDN-03',
    methods: ['MESSAGE'],
    broken: (request, exchange) =>
      reporterOf(exchange) === undefined ? undefined : reportFault(request),
  },
];

/** RFC 3261 8.1.1: what every request has. */
export function formFault(request: RequestSpoken): Fault {
  const { message } = request;
  const branch = readable(() => parseVia(message.list('via')[0] ?? ''))?.branch;
  if (branch?.startsWith('z9hG4bK') !== true) return 'the branch has no magic cookie';
  if (tagOf(message.header('from')) === undefined) return 'From has no tag';
  return lacks(request, 'max-forwards', 'call-id', 'to');
}

/** MSG-08. */
export function datagramFault({ message, observed }: RequestSpoken): Fault {
  return observed.transport === 'udp' && message.bytes.length > datagramMax
    ? `${message.bytes.length} octets over UDP`
    : undefined;
}

function summaryFault({ message, whole }: RequestSpoken): Fault {
  if (!whole) return undefined;
  const terminated = /^\s*terminated/i.test(message.header('subscription-state') ?? '');
  if (message.body.length === 0) return terminated ? undefined : 'it has no body';
  const type = message.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/simple-message-summary') return `its body is ${type ?? 'of no type'}`;
  try {
    const { waiting, classes } = parseMessageSummary(message.body);
    const fresh = classes.reduce((sum, one) => sum + one.new, 0);
    const old = classes.reduce((sum, one) => sum + one.old, 0);
    if (!waiting && fresh > 0) return `it says no, with ${fresh} new messages`;
    if (waiting && classes.length > 0 && fresh + old === 0) return 'it says yes, with no messages';
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return `${error.code}: ${error.hint}`;
    throw error;
  }
}

function pushFault(request: RequestSpoken): Fault {
  const { message, whole } = request;
  const missing = lacks(request, 'contact');
  if (missing !== undefined) return missing;
  if (/;\s*isfocus\b/i.test(message.header('contact')!)) return 'its Contact is a focus';
  if (!namesImTag(message.fields('accept-contact'))) {
    return 'Accept-Contact does not ask for +g.oma.sip-im';
  }
  if (!whole) return undefined;
  const { offer } = offeredIn(message);
  if (offer === undefined) return 'there is no offer with MSRP';
  if (offer.direction !== 'sendonly') return `the offer is ${offer.direction}`;
  if (offer.setup === undefined || offer.setup === 'passive' || offer.setup === 'holdconn') {
    return `the offer is set up ${offer.setup ?? 'by nobody'}`;
  }
  return undefined;
}

/** Fresh imdn.Message-ID, no wish for reports of its own, and what it is said in the MIME header. */
export function reportFault({ message }: RequestSpoken): Fault {
  const cpim = readable(() => parseCpim(message.body));
  if (cpim === undefined) return undefined;
  const { messageId, dispositions, from, to } = cpimFacts(cpim);
  if (from === undefined || to === undefined) return 'its CPIM has no From or To';
  if (messageId === undefined) return 'it has no imdn.Message-ID';
  if (dispositions.size > 0) return 'it asks for reports itself';
  const part = { headers: cpim.contentHeaders, body: cpim.body };
  const disposition = partHeader(part, 'content-disposition');
  return disposition?.trim().toLowerCase() === 'notification'
    ? undefined
    : 'its Content-Disposition is not notification';
}
