import { deletion } from '../../src/machines/client/deletion.js';
import { publication } from '../../src/machines/client/publication.js';
import { registration } from '../../src/machines/client/registration.js';
import { submission } from '../../src/machines/client/submission.js';
import { watcher } from '../../src/machines/client/watcher.js';
import { waits, type Told } from './drive.js';
import { answered, expired, failed, describeMachines, type Scenarios } from './scenarios.js';

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
  'is changed by the user, who asks for another time': [
    publish,
    tagged('a'),
    { ...publish, at: 9, expires: 600 },
    expired('refresh', 10),
  ],
  'is changed while it is refreshed, for another time': [
    publish,
    tagged('a'),
    expired('refresh', 1801),
    { ...publish, at: 1802, expires: 600 },
  ],
  ...anew('its change was refused', [{ ...publish, at: 9 }, answered(489, {}, 10)]),
  ...anew('its change found no server', [{ ...publish, at: 9 }, failed('transport', 10)]),
  ...anew('its change was not answered', [{ ...publish, at: 9 }, expired('answer', 19)]),
  ...anew('it has run out', [expired('expiry', 3601)]),
  ...anew('its refresh was refused', [expired('refresh', 1801), answered(403, {}, 1802)]),
  ...anew('it ran out during a refresh', [expired('refresh', 1801), expired('expiry', 3601)]),
  ...anew('it was removed', [unpublish, answered(200, {}, 51)]),
  ...anew('its removal found no server', [unpublish, failed('transport', 51)]),
  ...anew('its removal was not answered', [unpublish, expired('answer', 60)]),
};

/** RFC 3903 4.2: the server is not held to an entity-tag of what is over. */
function anew(why: string, end: readonly Told[]): Scenarios {
  const again = { ...publish, at: 4000 };
  return {
    [`PUB-01: is published anew without an entity-tag when ${why}`]: [
      publish,
      tagged('a'),
      ...end,
      again,
    ],
  };
}

describeMachines([
  ['registration', registration, registrations],
  ['submission', submission, submissions],
  ['watcher', watcher, watchers],
  ['deletion', deletion, deletions],
  ['publication', publication, publications],
]);
