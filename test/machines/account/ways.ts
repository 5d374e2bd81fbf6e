/** Ways of an account, step by step, to transitions that need limits, clients or chances of their own. */

import type { EventFor, Limits, MailboxEvent } from '../../../src/machines/events.js';
import { limits as facts, senderProfile } from '../facts.js';
import type { Composite } from './composite.js';
import { accountLimits, type Scene, type Step } from './inputs.js';
import { carol, eventsForMailbox, heavy } from './mailbox-inputs.js';

type On<Type extends MailboxEvent['type']> = Extract<MailboxEvent, { readonly type: Type }>;

function any(word: string): Step {
  return { word, fits: () => true };
}

/** To the mailbox. */
function asked<Type extends MailboxEvent['type']>(
  type: Type,
  fits: (event: On<Type>, state: Composite) => boolean = () => true,
): Step {
  return { word: type, fits: (event, state) => fits(event as On<Type>, state) };
}

type Kind = 'push' | 'ua' | 'bridge';
type Heard<Of extends Kind, Type> = Extract<EventFor<`${Of}/${number}`>, { readonly type: Type }>;

/** To an actor of that kind, from a peer of it. */
function heard<Of extends Kind, Type extends EventFor<`${Of}/${number}`>['type']>(
  kind: Of,
  type: Type,
  fits: (event: Heard<Of, Type>) => boolean,
): Step {
  return { word: `${kind} ${type}`, fits: (event) => fits(event as Heard<Of, Type>) };
}

// ------------------------------------------------------------------------------- messages

function received(fits: (event: On<'message.received'>) => boolean): Step {
  return asked('message.received', (event, state) => {
    const { urgent, transient, expires, digest } = event.message;
    const isPlain = !urgent && !transient && expires === undefined;
    return isPlain && digest === `d${state.asked}` && fits(event);
  });
}

const isOrdinary = ({ message }: On<'message.received'>): boolean =>
  message.size === 100 && message.from !== carol;
const message = received((event) => isOrdinary(event) && !('forward' in event));
const passedOn = received((event) => isOrdinary(event) && event.forward?.hops === 9);
const fromCarol = received(({ message }) => message.from === carol);
const heavyMessage = received(({ message }) => message.size === heavy);
const invited = asked('invitation.received', ({ forward }) => forward?.hops === 9);

const imported = (fits: (facts: On<'message.imported'>['imported']) => boolean): Step =>
  asked('message.imported', (event, { asked: count }) => {
    const { digest, size } = event.message;
    return digest === `d${count}` && size === 100 && fits(event.imported);
  });
const importedOld = imported(({ read }) => read);
const importedExpired = imported(({ read, expiresAt = Infinity, receivedAt }) => {
  return !read && expiresAt - receivedAt < 60_000;
});

// -------------------------------------------------------------------------- registrations

function registered(fits: (register: On<'register.received'>['register']) => boolean): Step {
  return asked('register.received', ({ register, limits }) => {
    const { callId, cseq } = register;
    return limits.push.default && callId === 'r' && cseq > 0 && fits(register);
  });
}

const byUser = (uri: RegExp, lasts: (seconds: number) => boolean): Step =>
  registered(({ by, contacts: [contact, ...others] }) => {
    if (by !== 'ue' || contact === undefined || others.length > 0 || !contact.im) return false;
    return uri.test(contact.uri) && lasts(contact.expires);
  });
const register = byUser(/^sip:bob/, (expires) => expires === 3600);
const registerOther = byUser(/^sip:other/, (expires) => expires > 0);
const deregister = byUser(/^sip:bob/, (expires) => expires === 0);
const registerByCore = registered(({ by }) => by === 'scscf');

// ------------------------------------------------------------------------------- sessions

const takes = (types: readonly string[] | undefined): boolean => types?.includes('*') === true;
const accepted = heard('push', 'invite.answered', ({ status, answer }) => {
  return status === 200 && takes(answer?.acceptTypes);
});
const refused = heard('push', 'invite.answered', ({ status }) => status === 486);
const bound = any('push msrp.connected');
const pushed = [accepted, bound];
const byeAnswered = any('push bye.answered');

const plainly = ({ retrieval }: On<'retrieval.requested'>): boolean => {
  const { accepts, authorised, owned, forbidden, list, hasAccount = true, offer } = retrieval;
  const isAllowed = accepts && authorised && owned && hasAccount && forbidden === undefined;
  return isAllowed && list === undefined && offer !== undefined;
};
const retrieve = asked('retrieval.requested', (event) => {
  return plainly(event) && takes(event.retrieval.offer?.acceptTypes);
});
const retrieveInVain = asked('retrieval.requested', (event) => {
  return plainly(event) && !takes(event.retrieval.offer?.acceptTypes);
});
/** The binding of the latest retrieval. */
const joined = [any('focus ack.received'), any('focus msrp.connected')];
const retrieved = [retrieve, ...joined];
const delivered = heard('ua', 'msrp.reported', ({ status, session }) => {
  return status === 200 && session.startsWith('focus/');
});

const deleteAll = asked('deletion.requested', ({ serials, foreign }) => {
  return foreign.length === 0 && serials[0] !== 9999;
});
const publish = asked('settings.published', ({ publish: { settings, expires } }) => {
  return settings?.offlineDelivery === false && expires === undefined;
});
const requeue = asked('requeue.requested', ({ serial }) => serial !== 9999);
const remove = asked('account.removed');
const watch = (isInside: boolean): Step =>
  asked('conference.requested', ({ focus, subscribe }) => {
    const { inside, authorised, accepts, expires = 3600 } = subscribe;
    const isPlain = authorised && accepts && expires === 3600 && focus !== 9999;
    return isPlain && inside === isInside;
  });
const subscribe = asked('subscribe.received', ({ subscribe: facts }, { asked: count }) => {
  const { event, authorised, accepts, expires, dialog } = facts;
  const isPlain = event === 'message-summary' && authorised && accepts && expires === 3600;
  return isPlain && dialog.callId === `own${count}`;
});

// ------------------------------------------------------------------------------------ ways

function way(name: string, steps: readonly Step[], limits?: Partial<Limits>): Scene {
  return { name, depth: Infinity, asks: eventsForMailbox, way: steps, ...(limits && { limits }) };
}

const bySender = { profile: senderProfile };
const oneByOne = { deletion: { batch: 1, removalMs: 1000 } };
const patient = { push: { ...facts.push, retryMs: 100_000 } };
const forbidding = { retrieval: { ...facts.retrieval, whenPushActive: 'forbid' } } as const;
const withoutReports = { reportGraceMs: 0 };
const allAtOnce = { forward: { ...accountLimits.forward, devices: 'all' } } as const;
const twoClients = [register, registerOther];

const ofMailbox: readonly Scene[] = [
  way('too many subscriptions', [subscribe, subscribe, subscribe]),
  way('a deletion behind another', [message, message, deleteAll, message, deleteAll], oneByOne),
  way('a deletion that goes on', [message, message, deleteAll, any('time')], oneByOne),
  way(
    'a deletion of what is lent, behind another',
    [message, message, ...retrieved, deleteAll],
    oneByOne,
  ),
  way('a removal behind a deletion', [message, message, deleteAll, remove], oneByOne),
  way('a removal that goes on', [message, message, message, remove, any('time')], oneByOne),
  way('too many publications', [publish, publish]),
  way('a publication that runs out', [publish, any('time')]),
  way('a pause', [any('delivery.paused'), any('delivery.resumed')]),
  way('a pause, and a push at once', [any('delivery.paused'), any('push.requested')]),
  way('a pause of a client', [register, any('delivery.paused'), any('push.requested')]),
  way('an old message that is a new one again', [importedOld, requeue]),
  way('the same beside a client', [register, importedOld, requeue]),
  way('the same beside a push', [message, register, importedOld, requeue]),
  way('a burst of third-party registrations', [registerByCore, registerByCore]),
  way('one of two clients leaves', [...twoClients, any('time')]),
];

const ofPush: readonly Scene[] = [
  way('one client of two', [...twoClients, message, refused]),
  way('no answer of one client of two', [...twoClients, message, any('push invite.failed')]),
  way('bound before the answer', [message, register, bound, accepted]),
  way('no answer', [message, register, any('time')], patient),
  way('no binding', [message, register, accepted, any('time')], patient),
  way('a push that ends behind the next', [message, register, deregister, register, byeAnswered]),
  way('another chance for what was refused', [
    ...[message, register, ...pushed, register],
    heard('ua', 'msrp.reported', ({ status }) => status === 413),
    byeAnswered,
  ]),
  way('an INVITE that brings the message', [message, register, accepted], bySender),
  way('an INVITE that cannot bring it', [heavyMessage, register], bySender),
  way('an INVITE that brings it too late', [importedExpired, register], bySender),
  way('messages of two senders', [message, fromCarol, register, ...pushed], bySender),
];

const ofVirtualUa: readonly Scene[] = [
  way('retrieved before it is pushed', [message, register, ...retrieved, delivered, ...pushed]),
  way('retrieved beside another retrieval', [
    ...[message, register, ...retrieved, ...retrieved],
    ...[delivered, ...pushed],
  ]),
  way('a client that takes nothing', [message, retrieveInVain, ...joined]),
  way('the same beside another', [message, ...retrieved, retrieveInVain, ...joined]),
  way('requeued while it is lent', [
    message,
    register,
    ...pushed,
    ...retrieved,
    delivered,
    requeue,
  ]),
  way(
    'messages of two senders, lent to a retrieval',
    [message, fromCarol, ...retrieved, register, ...pushed],
    bySender,
  ),
  way(
    'no reports are waited for',
    [message, ...retrieved, heard('ua', 'msrp.sent', ({ status }) => status === 200)],
    withoutReports,
  ),
];

const ofConference: readonly Scene[] = [
  way('every check of a retrieval', [any('retrieval.requested')]),
  way('no retrieval beside pushes', [retrieve], forbidding),
  way('too many retrievals', [retrieve, retrieve, retrieve, retrieve]),
  way('one subscription in the dialog', [retrieve, watch(true), watch(true)]),
  way('too many watchers', [retrieve, watch(false), watch(false), watch(false)]),
  way('the state of a conference', [retrieve, any('conference.requested')]),
  way('the node lets watchers go', [
    ...[retrieve, watch(false)],
    any('conference subscription.withdrawn'),
  ]),
  way('the node lets subscribers go', [subscribe, any('subscription subscription.withdrawn')]),
  way('counts are asked for once', [any('subscribe.received')]),
  way('deleted before it is retrieved', [message, retrieve, joined[0]!, deleteAll, joined[1]!]),
];

const ofForward: readonly Scene[] = [
  way('one client after another', [...twoClients, passedOn, any('forward *'), any('forward *')]),
  way(
    'all clients at once',
    [...twoClients, passedOn, any('forward *'), any('forward *')],
    allAtOnce,
  ),
  way('all are late', [...twoClients, passedOn, any('time'), any('forward *')], allAtOnce),
  way(
    'one has refused',
    [...twoClients, passedOn, any('forward forward.answered'), any('time')],
    allAtOnce,
  ),
  way('an INVITE for one client after another', [...twoClients, invited, ...twice('bridge leg.*')]),
  way('an INVITE for all', [...twoClients, invited, ...twice('bridge leg.*')], allAtOnce),
  way(
    'an INVITE that one has refused',
    [...twoClients, invited, any('bridge leg.answered'), any('time'), any('time')],
    allAtOnce,
  ),
  way('a session that ends', [
    ...[register, invited, heard('bridge', 'leg.answered', ({ answer }) => answer === 'a')],
    heard('bridge', 'bye.received', ({ leg }) => leg === 'caller'),
    any('bridge *'),
  ]),
];

function twice(word: string): Step[] {
  return [any(word), any(word)];
}

export const ways: readonly Scene[] = [
  ...ofMailbox,
  ...ofPush,
  ...ofVirtualUa,
  ...ofConference,
  ...ofForward,
];
