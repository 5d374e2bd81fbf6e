/** What users do in cases: subscribe, submit, register, retrieve. */

import { dialogOfResponse, type SipDialog } from '../../wire/sip/dialog.js';
import type { HeaderField, SipRequest, SipResponse } from '../../wire/sip/message.js';
import { offer } from '../../wire/sdp.js';
import { Unable } from './case.js';
import { excuseOf } from './excuse.js';
import { countsOf, mediaOf } from './inspection.js';
import * as requests from './requests.js';
import type { Seen } from './seen.js';
import type { Stage } from './stage.js';
import type { Step } from './step.js';

type Invite = Extract<Seen, { readonly kind: 'invite' }>;

export interface Subscription {
  readonly callId: string;
  dialog: SipDialog;
  readonly response: SipResponse;
}

/** A session in which the tester receives. */
export interface Receiving {
  readonly owner: string;
  readonly response: SipResponse;
}

/** A pager message that has to be taken. */
export async function submit(
  stage: Stage,
  step: Omit<Extract<Step, { readonly do: 'submit' }>, 'do'>,
): Promise<void> {
  stage.step(`submit message ${step.message + 1}`);
  const asked = { do: 'submit', ...step } as const;
  const response = await stage.ask(requests.submission(stage.cast, asked), { voice: 'sender' });
  accepted(stage, asked, response, 'MESSAGE');
}

export async function register(stage: Stage): Promise<void> {
  stage.step('register');
  const asked = { do: 'register', client: 'im' } as const;
  accepted(stage, asked, await stage.ask(requests.registration(stage.cast, asked)), 'REGISTER');
  const gone = { do: 'register', client: 'none' } as const;
  stage.onLeave(() => stage.ask(requests.registration(stage.cast, gone)));
}

/** To message waiting; the first NOTIFY has come. */
export async function subscribe(stage: Stage): Promise<Subscription> {
  const subscription = await watch(
    stage,
    'subscribe',
    requests.subscription(stage.cast, { do: 'subscribe' }),
  );
  stage.onLeave(() => stage.ask(inside(subscription, requests.refresh(stage.cast, 0))));
  const first = await stage.next('notify', ({ request }) => isOf(request, subscription));
  stage.must(first, 'no NOTIFY came at the subscription');
  return subscription;
}

/** A subscription of any package; its first NOTIFY may be here before it is. */
export async function watch(
  stage: Stage,
  what: string,
  outgoing: requests.Outgoing,
): Promise<Subscription> {
  stage.step(what);
  const sent = { callId: stage.name('watch'), localTag: stage.name('tag'), cseq: 1 };
  const response = await stage.ask({ ...outgoing, ...sent });
  accepted(stage, { do: 'subscribe' }, response, 'SUBSCRIBE');
  const dialog = dialogOfResponse({ ...sent, localUri: stage.cast.user }, response);
  return { callId: sent.callId, dialog, response };
}

/** The next request in the dialog of a subscription. */
export function inside(
  subscription: Subscription,
  headers: readonly HeaderField[],
): requests.Outgoing {
  const { dialog } = subscription;
  subscription.dialog = { ...dialog, localCseq: dialog.localCseq + 1 };
  const nowhere = { method: 'SUBSCRIBE', uri: '', from: '', to: '', route: [], headers };
  return { ...nowhere, dialog: subscription.dialog };
}

/** The NOTIFY that tells so many new messages. */
export async function counted(
  stage: Stage,
  subscription: Subscription,
  wanted: number,
): Promise<SipRequest | undefined> {
  const notify = await stage.next(
    'notify',
    ({ request }) => isOf(request, subscription) && countsOf(request)?.new === wanted,
  );
  return notify?.request;
}

export function isOf(request: SipRequest, { callId }: Pick<Subscription, 'callId'>): boolean {
  return request.header('Call-ID') === callId;
}

/** A retrieval that has to be taken. `uris`: what its list names; absent: everything. */
export async function retrieve(
  stage: Stage,
  uris?: readonly string[],
  change: (plain: requests.Outgoing) => requests.Outgoing = (plain) => plain,
): Promise<Receiving> {
  stage.step(uris === undefined ? 'retrieve all' : `retrieve ${uris.length} of a list`);
  const owner = stage.name('retrieval');
  const path = stage.endpoint.media.reserve(owner);
  const outgoing = change(requests.retrieval(stage.cast, [], path, uris));
  const response = await stage.ask(outgoing, { owner });
  accepted(stage, { do: 'retrieve', faults: [], list: [] }, response, 'INVITE');
  stage.onLeave(() => hangUp(stage, owner));
  const media = stage.must(mediaOf(response), 'the answer has no MSRP');
  stage.endpoint.media.connect(owner, { path: media.path, active: true });
  return { owner, response };
}

/** The push that has to come, taken by a client that connects. */
export function acceptPush(stage: Stage, invite: Invite): string {
  stage.step('accept push');
  const { transaction: owner, request } = invite;
  const media = stage.must(mediaOf(request), 'the push offers no MSRP');
  const path = stage.endpoint.media.reserve(owner);
  const sdp = requests.description(path, 'recvonly', 'active');
  stage.endpoint.accept(owner, sdp, `<${stage.cast.contact}>;${requests.imTag}`);
  stage.endpoint.media.connect(owner, { path: media.path, active: true });
  stage.onLeave(() => hangUp(stage, owner));
  return owner;
}

export function hangUp(stage: Stage, owner: string): Promise<unknown> {
  stage.endpoint.media.release(owner);
  return stage.endpoint.bye(owner);
}

/** The INVITE of a large message (D-15), for the user. */
export function largeInvitation(stage: Stage, path: string, callId: string): requests.Outgoing {
  const { cast } = stage;
  const { user, sender, contact } = cast;
  const tag = `${requests.imTag}.large-message`;
  const now = Date.now();
  const body = offer({
    ...{ sessionId: now, sessionVersion: 1, path: [path], direction: 'sendonly', setup: 'active' },
    acceptTypes: ['message/cpim'],
  });
  const headers: HeaderField[] = [
    ...requests.identity(cast, sender),
    ['Contact', `<${contact}>;${requests.imTag};${tag}`],
    ['Accept-Contact', `*;${tag};require;explicit`],
    ['Allow', requests.allow],
    ['Content-Type', requests.sdpType],
  ];
  const request = { ...requests.outside(cast, user, sender, user), method: 'INVITE' };
  return { ...request, headers, body, callId };
}

/** Throws Unable unless it is a 2xx. */
export function accepted(stage: Stage, step: Step, response: SipResponse, method: string): void {
  if (response.status < 300) return;
  const seen = `${method} was answered ${response.status} ${response.reason}`.trim();
  throw new Unable(excuseOf(step, response, stage.settings) ?? seen);
}
