/** Named mutations: each makes of a real trace one that violates, at a message that it knows. */

import type { Observed } from '../../../src/verify/capture/observed.js';
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
  mutate(trace: readonly Observed[]): Mutated;
}

type Find = (one: Observed, text: string) => boolean;

const line =
  (start: RegExp): Find =>
  (one) =>
    start.test(firstLine(one.bytes));
const has =
  (start: RegExp, field: RegExp): Find =>
  (one, text) =>
    start.test(firstLine(one.bytes)) && field.test(text);

/** The so many-th message that fits; retransmissions are messages too. */
function find(trace: readonly Observed[], fits: Find, place = 0): Observed {
  const found = trace.filter((one) => fits(one, one.bytes.toString('latin1')))[place];
  if (found === undefined) throw new Error(`no message ${place} of that kind`);
  return found;
}

/** It and whatever is the same again. */
function without(trace: readonly Observed[], gone: Observed): Observed[] {
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
function edited(one: Observed, change: (text: string) => string): Observed {
  const before = one.bytes.toString('latin1');
  const after = change(before);
  if (after === before) throw new Error('the mutation changes nothing');
  if (one.protocol === 'msrp') return { ...one, bytes: Buffer.from(after, 'latin1') };
  const end = after.indexOf('\r\n\r\n');
  const length = after.length - end - 4;
  const head = after.slice(0, end).replace(/^Content-Length:.*$/im, `Content-Length: ${length}`);
  return { ...one, bytes: Buffer.from(head + after.slice(end), 'latin1') };
}

/** The whole transaction of a message, and for a SEND the REPORT of it: as if it had not been. */
function withoutExchange(trace: readonly Observed[], gone: Observed): Observed[] {
  const key = exchangeOf(gone);
  const id = /^Message-ID: .*$/m.exec(gone.protocol === 'msrp' ? String(gone.bytes) : '')?.[0];
  return trace.filter((one) => {
    const isOfId = id !== undefined && String(one.bytes).includes(id);
    return exchangeOf(one) !== key && !isOfId;
  });
}

function exchangeOf({ bytes, protocol }: Observed): string {
  const text = bytes.toString('latin1');
  if (protocol === 'msrp') return /^MSRP (\S+)/.exec(text)![1]!;
  return `${/^Call-ID:.*$/m.exec(text)?.[0]} ${/^CSeq:.*$/m.exec(text)?.[0]}`;
}

/** A mutation that takes a transaction away; what was owed is missed at another message. */
function leaveOut(fits: Find, owedSince: Find, places: readonly [number, number] = [0, 0]) {
  return (trace: readonly Observed[]): Mutated => ({
    messages: withoutExchange(trace, find(trace, fits, places[0])),
    at: find(trace, owedSince, places[1]).number,
  });
}

/** A mutation that takes one message away; what was owed is missed at another. */
function drop(fits: Find, owedSince: Find, places: readonly [number, number] = [0, 0]) {
  return (trace: readonly Observed[]): Mutated => ({
    messages: without(trace, find(trace, fits, places[0])),
    at: find(trace, owedSince, places[1]).number,
  });
}

function edit(fits: Find, change: (text: string) => string, place = 0) {
  return (trace: readonly Observed[]): Mutated => {
    const old = find(trace, fits, place);
    return { messages: replaced(trace, old, change), at: old.number };
  };
}

const message = line(/^MESSAGE /);
const accepted = line(/^SIP\/2.0 202 /);
const notify = line(/^NOTIFY /);
const invite = line(/^INVITE /);
const bye = line(/^BYE /);
const chunk = has(/^MSRP \S+ SEND/, /^Content-Type: /m);
const report = line(/^MSRP \S+ REPORT/);
const answerTo = (status: number, method: string): Find =>
  has(new RegExp(`^SIP/2.0 ${status} `), new RegExp(`^CSeq: \\d+ ${method}\\r$`, 'm'));

/** Two messages change places; numbers and times stay where they are. */
function swapped(
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
function inserted(
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
function fresh(text: string): string {
  if (text.startsWith('MSRP')) {
    const id = /^MSRP (\S+)/.exec(text)![1]!;
    return text.replaceAll(id, 'fresh00001');
  }
  return text
    .replace(/branch=z9hG4bK[^;\r]*/, 'branch=z9hG4bKfresh')
    .replace(/^Call-ID: /m, 'Call-ID: fresh');
}

const reason = (status: string) => (text: string) => text.replace(/^SIP\/2.0 \d+ [^\r]*/, status);
const field = (name: string, value: string) => (text: string) =>
  text.replace(new RegExp(`^${name}:.*$`, 'm'), `${name}: ${value}\r`.slice(0, -1));
const gone = (name: string) => (text: string) =>
  text.replace(new RegExp(`^${name}:[^\\r]*\\r\\n`, 'm'), '');
const said = (old: string | RegExp, other: string) => (text: string) => text.replace(old, other);

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

function lastBefore(trace: readonly Observed[], end: Observed, fits: Find): Observed {
  return trace.filter((one) => one.number < end.number && fits(one, '')).at(-1)!;
}

export const mutations: readonly Mutation[] = Object.entries({
  ...stores,
  ...waiting,
  ...deliveries,
  ...retrievals,
  ...large,
  ...reports,
}).map(([name, mutation]) => ({ name, ...mutation }));
