import { describe, expect, test } from 'vitest';
import { deletion } from '../../src/machines/client/deletion.js';
import { delivery } from '../../src/machines/client/delivery.js';
import { largeMessage } from '../../src/machines/client/large-message.js';
import { publication } from '../../src/machines/client/publication.js';
import { registration } from '../../src/machines/client/registration.js';
import { retrieval } from '../../src/machines/client/retrieval.js';
import { submission } from '../../src/machines/client/submission.js';
import { watcher } from '../../src/machines/client/watcher.js';
import { drive, untaken, waits, type Told } from './drive.js';

const answered = (status: number, more: Record<string, unknown> = {}, at = 1): Told => ({
  type: 'answered',
  at,
  answer: { status, reason: 'x', ...more },
});
const failed = (cause: 'timeout' | 'transport' = 'transport', at = 1): Told => ({
  type: 'failed',
  at,
  cause,
});
const expired = (name: string, at = 2): Told => ({ type: 'timer.expired', at, name });

type Scenarios = Record<string, Told[]>;

const register: Told = { type: 'register', expires: 3600, waits };
const unregister: Told = { type: 'unregister', at: 5 };
const granted = answered(200, { expires: 3600 });

const registrations: Scenarios = {
  'is refreshed 600 s before it runs out, and ended by Expires 0': [
    register,
    granted,
    expired('refresh', 3001),
    answered(200, { expires: 3600 }, 3001),
    unregister,
    answered(200, {}, 6),
  ],
  'asks again once with the interval of a 423': [
    register,
    answered(423, { minExpires: 7200 }),
    answered(423, { minExpires: 9000 }),
  ],
  'is refused': [register, answered(403)],
  'has no answer': [register, expired('answer', 10)],
  'has no server': [register, failed(), register, granted],
  'survives a refresh that fails, until it runs out': [
    register,
    granted,
    expired('refresh', 3001),
    failed('transport', 3002),
    expired('retry', 3004),
    answered(503, {}, 3005),
    expired('retry', 3007),
    expired('answer', 3017),
    expired('expiry', 3601),
  ],
  'is lost when a refresh is refused': [
    register,
    granted,
    expired('refresh', 3001),
    answered(423, { minExpires: 7200 }, 3002),
    answered(403, {}, 3003),
  ],
  'runs out while a refresh is on its way': [
    register,
    granted,
    expired('refresh', 3001),
    expired('expiry', 3601),
  ],
  'is registered anew by the user, at any time': [
    register,
    granted,
    { ...register, at: 2 },
    expired('expiry', 3),
    granted,
    expired('refresh', 3001),
    { ...register, at: 3002 },
  ],
  'ends only after the pending REGISTER': [
    register,
    { ...unregister, at: 1 },
    granted,
    expired('answer', 20),
  ],
  'ends after a pending refresh that fails': [
    register,
    granted,
    expired('refresh', 3001),
    unregister,
    failed(),
    failed(),
  ],
  'ends after a pending REGISTER that is never answered': [
    register,
    { ...unregister, at: 1 },
    expired('answer', 11),
  ],
};

const submit: Told = { type: 'submit', attempts: 2, waits };
const submissions: Scenarios = {
  'is accepted': [submit, answered(202)],
  'is declined': [submit, answered(603)],
  'is sent again as the same request, which the server knows (D-18)': [
    submit,
    failed('transport'),
    expired('retry', 3),
    failed('timeout', 4),
  ],
  'is sent again as another request when the server puts it off': [
    submit,
    answered(503, { retryAfter: 3 }),
    expired('retry', 4),
    answered(503, { retryAfter: 3 }, 5),
  ],
  'waits while the server still works on it': [submit, answered(482), expired('retry', 3)],
  'is never answered': [submit, expired('answer', 10), expired('retry', 12), expired('answer', 22)],
  'is withdrawn on its way': [submit, { type: 'withdraw', at: 1 }],
  'is withdrawn while it waits': [submit, failed(), { type: 'withdraw', at: 2 }],
};

const retrieve: Told = { type: 'retrieve', waits };
const peer = { path: ['msrp://s:1/x;tcp'], active: true };
const opened: Told = { ...answered(200), peer };
const bye: Told = { type: 'bye.received', at: 5, transaction: 't' };
const connected: Told = { type: 'msrp.connected', at: 2 };
const lost: Told = { type: 'msrp.lost', at: 3, cause: 'closed' };
const withdraw: Told = { type: 'withdraw', at: 4 };
const retrievals: Scenarios = {
  'IMSpec-DMT-C-003: takes everything until the server ends it': [
    retrieve,
    opened,
    connected,
    { type: 'progress', at: 3 },
    { ...bye, reason: 'SIP;cause=200' },
  ],
  'IMSpec-DMT-C-002: asks for those named': [
    { ...retrieve, ids: ['sip:1@h'] },
    answered(403, { warning: '127 Service not authorised' }),
  ],
  'has no server': [retrieve, failed()],
  'is cancelled when no answer comes': [retrieve, expired('answer', 10), answered(487, {}, 11)],
  'is cancelled by the user, a 200 crosses': [retrieve, withdraw, opened, failed()],
  'is cancelled, and no end is told': [retrieve, withdraw, expired('farewell', 5)],
  'is cancelled, and the INVITE fails': [retrieve, withdraw, failed()],
  'is opened without usable SDP': [retrieve, answered(200), answered(200)],
  'is not bound in time': [retrieve, opened, expired('bind', 21), expired('farewell', 22)],
  'loses the connection before it is bound': [retrieve, opened, lost, bye],
  'is ended by the server before it is bound': [retrieve, opened, bye],
  'is ended by the user before it is bound': [retrieve, opened, withdraw, answered(200)],
  'loses the connection': [retrieve, opened, connected, lost],
  'falls silent': [retrieve, opened, connected, expired('idle', 40)],
  'brings more than there is room for': [retrieve, opened, connected, { type: 'overflow', at: 3 }],
  'is ended by the user': [retrieve, opened, connected, withdraw, answered(481)],
};

const invited: Told = {
  type: 'invite.received',
  transaction: 'i',
  willing: true,
  busy: false,
  peer,
  waits,
};
const acknowledged: Told = { type: 'acknowledged', at: 1 };
const unacknowledged: Told = { type: 'unacknowledged', at: 32 };
const deliveries: Scenarios = {
  'takes what is pushed until the server ends it': [
    invited,
    acknowledged,
    connected,
    { type: 'progress', at: 3 },
    bye,
  ],
  'is not wanted': [{ ...invited, willing: false }],
  'is one too many': [{ ...invited, busy: true }],
  'offers nothing that serves': [{ ...invited, peer: undefined }],
  'is not acknowledged': [invited, unacknowledged],
  'is not acknowledged although messages came': [invited, connected, acknowledged, unacknowledged],
  'is not bound in time': [invited, expired('bind', 20), expired('farewell', 21)],
  'loses the connection before it is bound': [invited, lost, bye],
  'is ended by the server before it is bound': [invited, bye],
  'is ended by the user before it is bound': [invited, withdraw, answered(200)],
  'loses the connection': [invited, connected, lost, failed()],
  'falls silent': [invited, connected, expired('idle', 40), unacknowledged],
  'brings more than there is room for': [invited, connected, { type: 'overflow', at: 3 }],
  'is ended by the user': [invited, connected, withdraw],
};

const watch: Told = { type: 'watch', expires: 3600, waits };
const unwatch: Told = { type: 'unwatch', at: 50 };
const dialog = (callId = 'fresh0', remoteTag = 'r', remoteCseq = 1) => ({
  callId,
  localTag: callId.slice(0, 12),
  remoteTag,
  localUri: 'sip:bob@example.org',
  remoteUri: 'sip:bob@example.org',
  remoteTarget: 'sip:mwi@store',
  routeSet: [],
  localCseq: 1,
  remoteCseq,
});
const summary = { waiting: true, classes: [], messages: [] };
const notify = (remoteCseq: number, more: Record<string, unknown> = {}, at = 1): Told => ({
  type: 'notify.received',
  at,
  notify: {
    transaction: `n${remoteCseq}`,
    dialog: dialog('fresh0', 'r', remoteCseq),
    state: 'active',
    summary,
    ...more,
  },
});
const subscribed: Told = { ...answered(200, { expires: 3600 }), dialog: dialog('fresh0', 'r', 0) };
const terminated = (reason?: string, more: Record<string, unknown> = {}) => ({
  state: 'terminated',
  summary: undefined,
  ...(reason && { reason }),
  ...more,
});
const foreign = (remoteCseq: number): Told =>
  notify(remoteCseq, { dialog: dialog('fresh0', 'other', remoteCseq) });
const watchers: Scenarios = {
  'IMSpec-DMO-C-010: is refreshed before it expires and ended by Expires 0': [
    watch,
    subscribed,
    notify(1, { expires: 3600 }),
    expired('refresh', 1801),
    answered(200, { expires: 3600 }, 1801),
    unwatch,
    answered(200),
    notify(2, terminated('timeout')),
  ],
  'IMSpec-DMT-C-001: takes a NOTIFY that overtakes the 200': [
    watch,
    notify(1, { expires: 3600 }),
    foreign(2),
    notify(1),
    subscribed,
  ],
  'IMSpec-DMO-C-010: begins with a new Call-ID after it has lapsed': [
    watch,
    subscribed,
    expired('expiry', 3601),
    notify(2),
  ],
  'asks again once with the interval of a 423': [
    watch,
    answered(423, { minExpires: 7200 }),
    answered(423, { minExpires: 9000 }),
  ],
  'is refused': [watch, answered(403), notify(1)],
  'is terminated before the 200': [watch, notify(1, terminated('rejected'))],
  'has no server': [watch, failed()],
  'has no answer': [watch, expired('answer', 10)],
  'begins again at once when the notifier moves': [
    watch,
    subscribed,
    notify(1, terminated('deactivated')),
  ],
  'begins again later when it is asked to wait': [
    watch,
    subscribed,
    notify(1, terminated('probation', { retryAfter: 30 })),
    notify(2),
    expired('retry', 31),
  ],
  'is left while it waits': [watch, subscribed, notify(1, terminated('giveup')), unwatch],
  'is over when the mailbox is': [watch, subscribed, notify(1, terminated('noresource'))],
  'refuses what is not its own or out of order': [watch, subscribed, foreign(3), notify(0)],
  'survives a refresh that fails': [
    watch,
    subscribed,
    expired('refresh', 1800),
    failed(),
    expired('retry', 1802),
    answered(500, { retryAfter: 9 }),
    expired('retry', 1810),
    expired('answer', 1820),
  ],
  'begins anew when the notifier has forgotten it': [
    watch,
    subscribed,
    expired('refresh', 1800),
    answered(423, { minExpires: 7200 }),
    answered(481, {}, 1801),
  ],
  'is over when a refresh is forbidden': [
    watch,
    subscribed,
    expired('refresh', 1800),
    answered(403),
  ],
  'lapses while a refresh is on its way': [
    watch,
    subscribed,
    expired('refresh', 1800),
    expired('expiry', 3600),
  ],
  'hears NOTIFYs while a refresh is on its way': [
    watch,
    subscribed,
    expired('refresh', 1800),
    notify(2),
    foreign(3),
    notify(1),
    notify(4, terminated('deactivated')),
  ],
  'is asked to wait while a refresh is on its way': [
    watch,
    subscribed,
    expired('refresh', 1800),
    notify(2, terminated('probation')),
  ],
  'ends while a refresh is on its way': [
    watch,
    subscribed,
    expired('refresh', 1800),
    notify(2, terminated()),
  ],
  'is left while a refresh is on its way, and nothing is heard': [
    watch,
    subscribed,
    expired('refresh', 1800),
    unwatch,
    expired('farewell', 51),
  ],
  'is left before the 200': [
    watch,
    unwatch,
    notify(1),
    foreign(2),
    notify(1),
    subscribed,
    notify(2),
    foreign(3),
    notify(1),
    answered(481),
  ],
  'is left before a refusal': [watch, unwatch, answered(403)],
  'is left before a failure': [watch, unwatch, failed()],
  'is left before nothing': [watch, unwatch, expired('answer', 60)],
  'cannot tell the server that it leaves': [watch, subscribed, unwatch, failed()],
};

const sendLarge: Told = { type: 'submit', size: 100, waits };
const receiving: Told = { ...answered(200), peer: { ...peer, maxSize: 100 } };
const sent = (status: number): Told => ({ type: 'msrp.sent', at: 3, status });
const reported = (status: number): Told => ({ type: 'msrp.reported', at: 4, status });
const largeMessages: Scenarios = {
  'D-33: is stored when the REPORT says so': [
    sendLarge,
    receiving,
    connected,
    { type: 'progress', at: 3 },
    sent(200),
    reported(200),
    answered(200),
  ],
  'D-33: is taken by the next hop, and no REPORT comes': [
    sendLarge,
    receiving,
    connected,
    sent(200),
    expired('report', 34),
    failed(),
  ],
  'is reported before the response to the last chunk': [
    sendLarge,
    receiving,
    connected,
    reported(200),
    bye,
  ],
  'D-16: is refused while it is sent': [sendLarge, receiving, connected, sent(413)],
  'D-16: is declined': [sendLarge, answered(603)],
  'RFC 4975 8.6: is larger than max-size': [
    { ...sendLarge, size: 101 },
    receiving,
    expired('farewell', 2),
  ],
  'has no server': [sendLarge, failed()],
  'is cancelled when no answer comes': [sendLarge, expired('answer', 10), answered(487, {}, 11)],
  'is cancelled by the user, a 200 crosses': [sendLarge, withdraw, receiving],
  'is cancelled, and no end is told': [sendLarge, withdraw, expired('farewell', 5)],
  'is cancelled, and the INVITE fails': [sendLarge, withdraw, failed()],
  'is opened without usable SDP': [sendLarge, answered(200)],
  'is not bound in time': [sendLarge, receiving, expired('bind', 21)],
  'loses the connection before it is bound': [sendLarge, receiving, lost],
  'is ended by the server before it is bound': [sendLarge, receiving, bye],
  'is ended by the user before it is bound': [sendLarge, receiving, withdraw],
  'loses the connection': [sendLarge, receiving, connected, lost],
  'is ended by the server': [sendLarge, receiving, connected, bye],
  'falls silent': [sendLarge, receiving, connected, expired('idle', 40)],
  'is ended by the user': [sendLarge, receiving, connected, withdraw],
  'loses the connection before the REPORT': [sendLarge, receiving, connected, sent(200), lost],
  'is ended by the server before the REPORT': [sendLarge, receiving, connected, sent(200), bye],
  'is ended by the user before the REPORT': [sendLarge, receiving, connected, sent(200), withdraw],
};

const remove: Told = { type: 'delete', ids: ['sip:1@h'], waits };
const deletions: Scenarios = {
  'D-31: is accepted': [remove, answered(202)],
  'has no server': [remove, failed()],
  'has no answer': [remove, expired('answer', 10)],
};

const publish: Told = { type: 'publish', expires: 3600, waits };
const unpublish: Told = { type: 'unpublish', at: 50 };
const tagged = (etag: string, at = 1): Told => ({
  ...answered(200, { expires: 3600 }, at),
  etag,
});
const publications: Scenarios = {
  'PUB-01: is refreshed at half of its time without a body, and removed': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    tagged('b', 1801),
    unpublish,
    answered(200, {}, 51),
  ],
  'PUB-01: asks again once with the interval of a 423': [
    publish,
    answered(423, { minExpires: 7200 }),
    answered(423, { minExpires: 9000 }),
  ],
  'PUB-01: is published anew when the server has lost it': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    answered(412, {}, 1802),
    tagged('b', 1803),
  ],
  'PUB-01: is changed by the user; the server has lost the former one': [
    publish,
    tagged('a'),
    { ...publish, at: 9 },
    answered(412, {}, 10),
    answered(412, {}, 11),
  ],
  'is refused': [publish, answered(489)],
  'has no server': [publish, failed()],
  'has no answer': [publish, expired('answer', 10)],
  'survives a refresh that fails, until it runs out': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    failed('transport', 1802),
    expired('retry', 1804),
    answered(503, {}, 1805),
    expired('retry', 1807),
    expired('answer', 1817),
    expired('expiry', 3601),
  ],
  'is lost when a refresh is refused': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    answered(403, {}, 1802),
  ],
  'runs out while a refresh is on its way': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    expired('expiry', 3601),
  ],
  'is changed while a refresh is on its way': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    { ...publish, at: 1802 },
  ],
  'is removed while a refresh is on its way, which the server cannot do': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    { ...unpublish, at: 1802 },
    failed('transport', 1803),
  ],
  'is removed, and nothing is heard': [publish, tagged('a'), unpublish, expired('answer', 60)],
};

describe.each([
  ['large-message', largeMessage, largeMessages],
  ['deletion', deletion, deletions],
  ['publication', publication, publications],
  ['registration', registration, registrations],
  ['submission', submission, submissions],
  ['retrieval', retrieval, retrievals],
  ['delivery', delivery, deliveries],
  ['watcher', watcher, watchers],
] as const)('%s', (name, definition, scenarios) => {
  const machine = definition as never;

  test('does what its transcript says', async () => {
    const text = Object.entries(scenarios)
      .map(([title, events]) => `# ${title}\n${drive(machine, events).transcript.join('\n')}\n`)
      .join('\n');
    await expect(text).toMatchFileSnapshot(`transcripts/${name}.txt`);
  });

  test('has no transition that no scenario takes', () => {
    const drives = Object.values(scenarios).map((events) => drive(machine, events));
    expect(untaken(machine, drives)).toEqual([]);
  });
});
