/** Named mutations: each makes of a real trace one that violates, at a message that it knows. */

import type { Observed } from '../../../src/verify/capture/observed.js';
import {
  line,
  has,
  find,
  without,
  edited,
  exchangeOf,
  withoutExchange,
  leaveOut,
  drop,
  edit,
  message,
  accepted,
  notify,
  invite,
  bye,
  chunk,
  report,
  answerTo,
  swapped,
  inserted,
  fresh,
  reason,
  field,
  gone,
  said,
  lastBefore,
  type Mutation,
} from './mutate.js';

type Of = Omit<Mutation, 'name'>;
const of = (play: string, clause: string, mutate: Mutation['mutate'], fromStart = false): Of => ({
  ...{ of: play, clause, mutate },
  ...(fromStart && { fromStart: true as const }),
});

const stores: Record<string, Of> = {
  'answer 200 instead of 202': of(
    ...(['store', 'S4-202', edit(accepted, reason('SIP/2.0 200 OK'))] as const),
  ),
  'answer 480 instead of 603': of(
    ...(['declined', 'S4-603-PM'] as const),
    edit(answerTo(603, 'MESSAGE'), reason('SIP/2.0 480 Temporarily Unavailable')),
  ),
  'answer 480 instead of 603 to a large message': of(
    ...(['declined', 'S4-603-LM'] as const),
    edit(answerTo(603, 'INVITE'), reason('SIP/2.0 480 Temporarily Unavailable')),
  ),
  'drop the 202': of('store', 'TX-01', drop(accepted, message)),
  'put a Contact into the 202': of(
    ...(['store', 'MSG-01', edit(accepted, said(/\r\n/, '\r\nContact: <sip:a@b>\r\n'))] as const),
  ),
  'put a body into the 202': of(
    'store',
    'MSG-01',
    edit(accepted, (text) => `${text}stored`),
  ),
  'take the tag from the 202': of(
    'store',
    'SIP-06',
    edit(accepted, said(/^(To: .*);tag=\w+/m, '$1')),
  ),
  'answer from somebody else': of(
    'store',
    'SIP-06',
    edit(accepted, field('From', '<sip:x@y>;tag=z')),
  ),
  'decline what was accepted': of('store', 'TX-03', (trace) => {
    const first = find(trace, accepted);
    return inserted(trace, first, first, reason('SIP/2.0 603 Decline'));
  }),
  'say it otherwise the second time': of('repeated', 'TX-03', (trace) => {
    const second = find(trace, accepted, 1);
    const change = said(/^Server: .*$/m, 'Server: IM-serv/OMA1.0 other\r'.slice(0, -1));
    const messages = trace.map((one) => (one === second ? edited(one, change) : one));
    return { messages, at: second.number };
  }),
};

const waiting: Record<string, Of> = {
  'drop the first NOTIFY': of('watch', 'EVT-01', leaveOut(notify, line(/^SUBSCRIBE /))),
  'drop a later NOTIFY': of('watch', 'MWI-06', (trace) => {
    const later = trace.filter(
      (one) => notify(one, '') && /^CSeq: 2 /m.test(String(one.bytes)),
    )[0]!;
    return { messages: withoutExchange(trace, later), at: find(trace, message, 1).number };
  }),
  'count wrongly': of(
    ...(['watch', 'IMSpec-DMT-S-005'] as const),
    edit(has(/^NOTIFY/, /^CSeq: 2 /m), said('Pager-Message: 2/0', 'Pager-Message: 7/0')),
  ),
  'count what has expired': of(
    ...(['expires', 'IMSpec-DMT-S-005'] as const),
    edit(has(/^NOTIFY/, /^CSeq: 3 /m), said('Pager-Message: 0/0', 'Pager-Message: 1/0')),
  ),
  'say that nothing waits': of(
    ...([
      'watch',
      'MWI-02',
      edit(notify, said('Messages-Waiting: yes', 'Messages-Waiting: no')),
    ] as const),
  ),
  'send headers in the first NOTIFY': of(
    ...(['watch', 'MWI-03'] as const),
    edit(notify, (text) => `${text}\r\nFrom: <sip:alice@example.org>\r\n`),
  ),
  'leave out how long it is active': of(
    ...(['watch', 'EVT-04', edit(notify, field('Subscription-State', 'active'))] as const),
  ),
  'let CSeq fall': of(
    ...([
      'watch',
      'DLG-02',
      edit(has(/^NOTIFY/, /^CSeq: 3 /m), field('CSeq', '1 NOTIFY')),
    ] as const),
  ),
  'grant more than was asked for': of(
    ...(['watch', 'EVT-03', edit(answerTo(200, 'SUBSCRIBE'), field('Expires', '999999'))] as const),
  ),
  'know no message waiting': of(
    ...(['watch', 'IMSpec-DMT-S-002'] as const),
    edit(answerTo(200, 'SUBSCRIBE'), reason('SIP/2.0 489 Bad Event')),
  ),
};

const deliveries: Record<string, Of> = {
  'swap two SENDs': of('push', 'D-72', (trace) => swapped(trace, chunk, [0, 1])),
  'SEND a message twice': of('push', 'D-72', (trace) => {
    const reports = trace.filter((one) => report(one, ''));
    return inserted(trace, find(trace, chunk), reports.at(-1)!, fresh);
  }),
  'SEND the message of somebody else': of(
    ...(['push', 'IMSpec-DMT-S-009'] as const),
    edit(chunk, said(/^Call-ID: .*$/m, 'Call-ID: of-another-user\r'.slice(0, -1))),
    true,
  ),
  'drop the BYE of a push': of('push', 'S2-PUSH-FLOW', leaveOut(bye, report, [0, 2])),
  'drop the BYE of a retrieval': of('retrieveAll', 'D-73', leaveOut(bye, report, [0, 2])),
  'pass over a message': of('push', 'D-72', leaveOut(chunk, chunk, [1, 2])),
  'drop the INVITE': of(
    'settings',
    'IMSpec-DMT-S-004',
    drop(invite, line(/^REGISTER/), [0, 1]),
    true,
  ),
  'drop the ACK': of('push', 'TX-02', drop(line(/^ACK /), answerTo(200, 'INVITE'))),
  'push to a user who has left': of('leaves', 'IMSpec-DMT-S-003', (trace) => {
    const stored = trace.filter((one) => accepted(one, '')).at(-1)!;
    return inserted(trace, find(trace, invite), stored, fresh);
  }),
  'offer sendrecv': of('push', 'D-47', edit(invite, said('a=sendonly', 'a=sendrecv'))),
  'push as a conference': of(
    'push',
    'D-47',
    edit(invite, said(/^(Contact: .*?);automata/m, '$1;automata;isfocus')),
  ),
  'SEND less than announced': of(
    'push',
    'MSRP-05',
    edit(chunk, said(/.{3}\r\n(-------\S+\$\r\n)$/, '\r\n$1')),
  ),
  'SEND it naked': of('push', 'S2-ENCAP', edit(chunk, field('Content-Type', 'text/plain'))),
};

const retrievals: Record<string, Of> = {
  'answer 404 instead of 403': of(
    ...(['refused', 'IMSpec-DMT-S-007'] as const),
    edit(answerTo(403, 'INVITE'), reason('SIP/2.0 404 Not Found')),
  ),
  'accept nobody knows whom': of(
    'retrieveAll',
    'S3-200-SERVER',
    edit(answerTo(200, 'INVITE'), gone('Server')),
  ),
  'allow nothing': of('retrieveAll', 'S3-200-ALLOW', edit(answerTo(200, 'INVITE'), gone('Allow'))),
  'be no automaton': of(
    'retrieveAll',
    'S3-200-AUTOMATA',
    edit(answerTo(200, 'INVITE'), said(';automata', '')),
  ),
  'answer recvonly': of(
    'retrieveAll',
    'S3-200-SDP',
    edit(answerTo(200, 'INVITE'), said('a=sendonly', 'a=recvonly')),
  ),
  'delete nothing': of(
    'retrieveSome',
    'D-31',
    edit(answerTo(202, 'REFER'), reason('SIP/2.0 404 Not Found')),
  ),
  'delete what is not there': of(
    'retrieveSome',
    'D-31',
    edit(answerTo(404, 'REFER'), reason('SIP/2.0 202 Accepted')),
    true,
  ),
  'publish without a tag': of(
    'settings',
    'PUB-01',
    edit(answerTo(200, 'PUBLISH'), gone('SIP-ETag')),
  ),
};

const fromServer = has(/^MSRP \S+ REPORT/, /^Status: 000 200/m);

const known: Record<string, Of> = {
  'do not push, where it is known that it should': {
    ...of('push', 'IMSpec-DMT-S-004', (trace) => {
      const register = find(trace, line(/^REGISTER /));
      const isOfRegister = (one: Observed): boolean => exchangeOf(one) === exchangeOf(register);
      const messages = trace.filter(
        (one) => one.number < register.number || isOfRegister(one) || one.number > trace.length - 2,
      );
      return { messages, at: register.number };
    }),
    options: { settings: { pushes: true } },
  },
  'push, where it is known that it should not': {
    ...of('push', 'IMSpec-DMT-S-004', (trace) => {
      return { messages: trace, at: find(trace, invite).number };
    }),
    options: { settings: { pushes: false } },
  },
};

const large: Record<string, Of> = {
  'answer sendonly to who is sending': of(
    'large',
    'SDP-02',
    edit(answerTo(200, 'INVITE'), said('a=recvonly', 'a=sendonly')),
  ),
  'drop the REPORT': of('large', 'MSRP-21', (trace) => {
    const confirmed = lastBefore(trace, find(trace, fromServer), line(/^MSRP \S+ 200/));
    return { messages: without(trace, find(trace, fromServer)), at: confirmed.number };
  }),
  'REPORT twice': of('large', 'MSRP-21', (trace) => {
    const first = find(trace, fromServer);
    return inserted(trace, first, first, fresh);
  }),
  'REPORT what has not come': of(
    ...([
      'large',
      'D-16',
      edit(fromServer, said(/^Byte-Range: .*$/m, 'Byte-Range: 1-99999/99999\r'.slice(0, -1))),
    ] as const),
  ),
  'leave a SEND without an answer': of(
    'large',
    'MSRP-20',
    drop(line(/^MSRP \S+ 200/), line(/^MSRP \S+ SEND/)),
  ),
};

/** Passed on to the client, in the order of the play. */
const passed = line(/^MESSAGE sip:tomas@127/);
const conferenceNotify = has(/^NOTIFY /, /^Event: conference/m);

const passedOn: Record<string, Of> = {
  'pass on something else': of(
    'passedOn',
    'FWD-01',
    edit(passed, said('answered 200', 'changed by me')),
  ),
  'pass on for ever': of('passedOn', 'FWD-01', edit(passed, field('Max-Forwards', '70'))),
  'refuse what was taken': of(
    ...(['passedOn', 'D-12'] as const),
    edit(answerTo(200, 'MESSAGE'), reason('SIP/2.0 480 Temporarily Unavailable'), 1),
  ),
  'take in what was refused': of(
    ...(['passedOn', 'D-12'] as const),
    edit(answerTo(486, 'MESSAGE'), reason('SIP/2.0 202 Accepted'), 1),
  ),
  'pass back that nobody is there': of(
    ...(['passedOn', 'D-12'] as const),
    edit(answerTo(202, 'MESSAGE'), reason('SIP/2.0 480 Temporarily Unavailable'), 2),
  ),
};

const conferences: Record<string, Of> = {
  'tell nobody of the conference': of('conference', 'EVT-01', (trace) => {
    const isOf = (one: Observed): boolean => /^Call-ID: watches\r$/m.test(String(one.bytes));
    const isNotify = (one: Observed): boolean => /^CSeq: \d+ NOTIFY\r$/m.test(String(one.bytes));
    const messages = trace.filter((one) => !(isOf(one) && isNotify(one)));
    return { messages, at: find(trace, answerTo(200, 'SUBSCRIBE')).number };
  }),
  'tell a version twice': of(
    'conference',
    'CNF-01',
    edit(has(/^NOTIFY /, /version="2"/), said('version="2"', 'version="1"')),
  ),
  'tell of some at first': of(
    'conference',
    'CNF-01',
    edit(conferenceNotify, said('state="full"', 'state="partial"')),
  ),
  'begin again what has ended': of('conference', 'CNF-01', (trace) => {
    const ended = find(trace, has(/^NOTIFY /, /^Subscription-State: terminated/m));
    const version = Number(/version="(\d+)"/.exec(String(ended.bytes))![1]);
    return inserted(trace, ended, trace.at(-3)!, (text) =>
      text
        .replace(/branch=z9hG4bK[^;\r]*/, 'branch=z9hG4bKfresh')
        .replace(/^CSeq: .*$/m, 'CSeq: 99 NOTIFY\r'.slice(0, -1))
        .replace(`version="${version}"`, `version="${version + 1}"`)
        .replaceAll('<status>disconnected</status>', '<status>pending</status>'),
    );
  }),
};

const imdn = has(/^MESSAGE /, /<stored\/>/);

const reports: Record<string, Of> = {
  'report twice': of('reports', 'IMDN-02', (trace) => {
    const first = find(trace, imdn);
    return inserted(trace, first, first, fresh);
  }),
  'report what nobody asked for': of(
    'reports',
    'IMDN-01',
    edit(imdn, said('<stored/>', '<processed/>')),
  ),
  'ask for a report of a report': of(
    ...(['reports', 'IMDN-03'] as const),
    edit(
      imdn,
      said('imdn.Message-ID', 'imdn.Disposition-Notification: processing\r\nimdn.Message-ID'),
    ),
  ),
};

export const mutations: readonly Mutation[] = Object.entries({
  ...stores,
  ...waiting,
  ...deliveries,
  ...retrievals,
  ...large,
  ...reports,
  ...passedOn,
  ...conferences,
  ...known,
}).map(([name, mutation]) => ({ name, ...mutation }));
