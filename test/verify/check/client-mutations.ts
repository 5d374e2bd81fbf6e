/** Named mutations of what clients say: each breaks one duty of a client. */

import type { Observed } from '../../../src/verify/capture/observed.js';
import {
  answerTo,
  chunk,
  drop,
  edit,
  edited,
  field,
  find,
  fresh,
  gone,
  has,
  inserted,
  invite,
  line,
  message,
  notify,
  reason,
  report,
  said,
  type Mutated,
  type Mutation,
} from './mutate.js';

type Mutate = Mutation['mutate'];
/** The play, the clause, and how; `fromStart`: only who knows that nothing was before can tell. */
type Row = readonly [play: string, clause: string, mutate: Mutate, fromStart?: 'fromStart'];

const end = (value: string): string => `${value}\r`.slice(0, -1);
const msrpOk = line(/^MSRP \S+ 200/);
const refer = line(/^REFER /);
const first = line(/^MSRP \S+ SEND/);

const answers: Record<string, Row> = {
  'leave a NOTIFY without an answer': [
    ...(['watch', 'IMSpec-DMT-C-001', drop(answerTo(200, 'NOTIFY'), notify)] as const),
  ],
  'refuse a NOTIFY': [
    ...(['watch', 'IMSpec-DMT-C-001'] as const),
    edit(answerTo(200, 'NOTIFY'), reason('SIP/2.0 481 Call/Transaction Does Not Exist')),
  ],
  'know no message waiting': [
    ...(['watch', 'IMSpec-DMT-C-001'] as const),
    edit(answerTo(200, 'NOTIFY'), reason('SIP/2.0 489 Bad Event')),
  ],
  'take the tag from an answer': [
    ...(['watch', 'SIP-06'] as const),
    edit(answerTo(200, 'NOTIFY'), said(/^(To: .*);tag=\w+/m, '$1')),
  ],
  'leave a push without an answer': ['push', 'TX-01', drop(answerTo(200, 'INVITE'), invite)],
  'know no push': [
    ...(['push', 'S2-PUSH-FLOW'] as const),
    edit(answerTo(200, 'INVITE'), reason('SIP/2.0 501 Not Implemented')),
  ],
  'answer sendrecv to a push': [
    'push',
    'SDP-02',
    edit(answerTo(200, 'INVITE'), said('a=recvonly', 'a=sendrecv')),
  ],
  'do not say who connects': [
    'push',
    'SDP-02',
    edit(answerTo(200, 'INVITE'), said(/a=setup:.*\r\n/, '')),
  ],
  'accept nothing that is stored': [
    ...(['push', 'MSRP-30'] as const),
    edit(answerTo(200, 'INVITE'), said(/^a=accept-types:.*$/m, end('a=accept-types:image/png'))),
  ],
  'open a dialog without a Contact': [
    'push',
    'DLG-01',
    edit(answerTo(200, 'INVITE'), gone('Contact')),
  ],
  'do not end what is ended': [
    ...(['push', 'S2-PUSH-FLOW'] as const),
    edit(answerTo(200, 'BYE'), reason('SIP/2.0 501 Not Implemented')),
  ],
};

const sessions: Record<string, Row> = {
  'leave a SEND without an answer': ['push', 'MSRP-20', drop(msrpOk, chunk, [1, 0])],
  'REPORT nothing': ['push', 'MSRP-21', drop(report, msrpOk, [0, 1])],
  'REPORT more than has come': [
    ...(['push', 'MSRP-21'] as const),
    edit(report, said(/^Byte-Range: .*$/m, end('Byte-Range: 1-99999/99999'))),
  ],
  'REPORT twice': [
    ...(['push', 'MSRP-21'] as const),
    (trace) => inserted(trace, find(trace, report), find(trace, report), fresh),
  ],
  'never bind the session': ['push', 'MSRP-11', neverBound],
  'send in a session to receive': [
    ...(['push', 'D-75'] as const),
    edit(first, said(/\r\n-------/, '\r\nContent-Type: text/plain\r\n\r\nhi\r\n-------')),
  ],
  'refuse what it accepts': [
    'push',
    'MSRP-30',
    edit(msrpOk, said('200 OK', '415 Unsupported Media Type'), 1),
  ],
  'do not acknowledge': ['retrieveAll', 'TX-02', drop(line(/^ACK /), answerTo(200, 'INVITE'))],
};

const requests: Record<string, Row> = {
  'retrieve without the tag': [
    'retrieveAll',
    'IMSpec-DMT-C-003',
    edit(invite, gone('Accept-Contact')),
  ],
  'offer sendrecv to retrieve': [
    ...(['retrieveAll', 'IMSpec-DMT-C-003'] as const),
    edit(invite, said('a=recvonly', 'a=sendrecv')),
  ],
  'retrieve some without the tag': [
    'retrieveSome',
    'IMSpec-DMT-C-002',
    edit(invite, gone('Accept-Contact')),
  ],
  'do not require the list': ['retrieveSome', 'LIST-01', edit(invite, gone('Require'))],
  'require a list that is not there': [
    ...(['retrieveAll', 'LIST-01'] as const),
    edit(invite, said(/\r\n/, '\r\nRequire: recipient-list-invite\r\n')),
  ],
  'do not say whom the list is for': [
    ...(['retrieveSome', 'LIST-01'] as const),
    edit(invite, said('Content-Disposition: recipient-list', 'Content-Disposition: inline')),
  ],
  'retrieve what nobody has told': [
    ...(['retrieveSome', 'IMSpec-DMT-C-002'] as const),
    edit(invite, said(/uri="sip:\d+@/, 'uri="sip:777@')),
    'fromStart',
  ],
  'delete what nobody has told': [
    ...(['retrieveSome', 'D-31'] as const),
    edit(refer, said(/^Refer-To: <sip:\d+@/m, 'Refer-To: <sip:777@')),
    'fromStart',
  ],
  'delete nothing': ['retrieveSome', 'D-31', edit(refer, gone('Refer-To'))],
  'offer a large message to receive it': [
    ...(['large', 'D-15'] as const),
    edit(invite, said('a=sendonly', 'a=recvonly')),
  ],
  'put a Contact into a MESSAGE': [
    'store',
    'MSG-01',
    edit(message, said(/\r\n/, '\r\nContact: <sip:a@b>\r\n')),
  ],
  'send too much in a datagram': [
    'store',
    'MSG-08',
    edit(message, (text) => text + 'x'.repeat(1_400)),
  ],
  'send a request without Max-Forwards': ['store', 'SIP-20', edit(message, gone('Max-Forwards'))],
  'say it otherwise the second time': ['repeated', 'TX-03', otherwise],
  'ask for reports of nothing': [
    'reports',
    'IMDN-05',
    edit(message, said(/imdn\.Message-ID: .*\r\n/, '')),
  ],
  'ask for reports without a time': [
    'reports',
    'IMDN-05',
    edit(message, said(/^DateTime: .*\r\n/m, '')),
  ],
};

const returned = has(/^MESSAGE /, /<delivered\/>/);
const subscribe = line(/^SUBSCRIBE /);

const lives: Record<string, Row> = {
  'accept something else': [
    'watch',
    'IMSpec-DMO-C-010',
    edit(subscribe, field('Accept', 'text/plain')),
  ],
  'subscribe without a Contact': ['watch', 'DLG-01', edit(subscribe, gone('Contact'))],
  'go on with what is over': ['watch', 'IMSpec-DMO-C-010', goneOn],
  'leave without unsubscribing': ['logsOut', 'IMSpec-DMO-C-010', stillSubscribed],
  'let the CSeq of REGISTER fall': [
    'leaves',
    'DLG-02',
    edit(line(/^REGISTER /), field('CSeq', '1 REGISTER'), 1),
  ],
  'publish with an old tag': [
    ...(['settings', 'PUB-01'] as const),
    edit(line(/^PUBLISH /), said(/^SIP-If-Match: .*$/m, end('SIP-If-Match: another')), 1),
  ],
  'publish without a package': ['settings', 'PUB-01', edit(line(/^PUBLISH /), gone('Event'))],
  'report what nobody has asked for': [
    'returns',
    'IMDN-01',
    edit(returned, said('<delivered/>', '<displayed/>')),
  ],
  'report twice': ['returns', 'IMDN-02', reportedTwice],
  'ask for a report of a report': [
    ...(['returns', 'IMDN-03'] as const),
    edit(
      returned,
      said(/^imdn\.Message-ID/m, 'imdn.Disposition-Notification: display\r\nimdn.Message-ID'),
    ),
  ],
};

/** As if the client had never connected; nothing ends the session either. */
function neverBound(trace: readonly Observed[]): Mutated {
  const isOfSession = ({ protocol, bytes }: Observed): boolean =>
    protocol === 'msrp' || /^CSeq: \d+ BYE\r$/m.test(bytes.toString('latin1'));
  const messages = trace.filter((one) => !isOfSession(one));
  return { messages, at: find(trace, answerTo(200, 'INVITE')).number };
}

function otherwise(trace: readonly Observed[]): Mutated {
  const second = find(trace, message, 1);
  const messages = trace.map((one) =>
    one === second ? edited(one, (text) => `${text} and more`) : one,
  );
  return { messages, at: second.number };
}

/** After the last SUBSCRIBE another one comes in the same dialog. */
function goneOn(trace: readonly Observed[]): Mutated {
  const last = find(trace, subscribe, 1);
  return inserted(trace, last, trace.at(-3)!, (text) =>
    text
      .replace(/branch=z9hG4bK[^;\r]*/, 'branch=z9hG4bKfresh')
      .replace(/^CSeq: .*$/m, end('CSeq: 9 SUBSCRIBE'))
      .replace(/^Expires: .*$/m, end('Expires: 3600')),
  );
}

/** Neither its last SUBSCRIBE nor what came of it. */
function stillSubscribed(trace: readonly Observed[]): Mutated {
  const last = find(trace, subscribe, 1);
  const isAfter = ({ number, bytes }: Observed): boolean =>
    number >= last.number && /^CSeq: \d+ (?:SUBSCRIBE|NOTIFY)\r$/m.test(bytes.toString('latin1'));
  const messages = trace.filter((one) => !isAfter(one));
  return { messages, at: find(trace, line(/^REGISTER /), 1).number };
}

function reportedTwice(trace: readonly Observed[]): Mutated {
  const once = find(trace, returned);
  return inserted(trace, once, once, fresh);
}

export const clientMutations: readonly Mutation[] = Object.entries({
  ...answers,
  ...sessions,
  ...requests,
  ...lives,
}).map(([name, [of, clause, mutate, fromStart]]) => ({
  ...{ name, of, clause, mutate },
  ...(fromStart && { fromStart: true as const }),
}));
