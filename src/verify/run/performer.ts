/** Does a step on the wire, and looks at the answer to it. */

import { dialogOfResponse, type SentRequest, type SipDialog } from '../../wire/sip/dialog.js';
import type { SipResponse } from '../../wire/sip/message.js';
import type { AccountState } from '../bounded-account.js';
import { WireError } from '../../wire/error.js';
import { atMost, deadlinePassed, pause, type Deadline } from './at-most.js';
import type { Cast } from './cast.js';
import type { Heard, TesterEndpoint, Voice } from './endpoint.js';
import { excuseOf } from './excuse.js';
import { methodOf } from './expectation.js';
import { inspectAcceptance, inspectRefusal, mediaOf, type Finding } from './inspection.js';
import type { Judge } from './judge.js';
import { nextTimer, type Owed } from './model.js';
import * as requests from './requests.js';
import { sessionOf, unknownUri } from './step-facts.js';
import type { ListEntry, Step } from './step.js';

/** Why a step cannot be taken, or the path not be gone on. */
export interface Impossible {
  readonly why: string;
}

type Inspect = (response: SipResponse) => readonly Finding[];

interface Subscription {
  readonly dialog: SipDialog;
  cseq: number;
}

export class Performer {
  readonly #cast: Cast;
  readonly #endpoint: TesterEndpoint;
  readonly #judge: Judge;
  readonly #deadline: Deadline;
  /** A path has one at a time. */
  #subscription: Subscription | undefined;
  /** Sessions whose dialog the tester has to end when it leaves. */
  readonly #dialogs = new Set<string>();
  #etag: string | undefined;
  #registered = false;
  #next = 1;
  /** Whether the target has said anything. */
  heard = false;
  /** The tester has ended a session itself, or has refused one. */
  hasEnded = false;

  constructor(cast: Cast, endpoint: TesterEndpoint, judge: Judge, deadline: Deadline) {
    this.#cast = cast;
    this.#endpoint = endpoint;
    this.#judge = judge;
    this.#deadline = deadline;
  }

  async perform(
    step: Step,
    before: AccountState,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const cast = this.#cast;
    switch (step.do) {
      case 'wait':
        await this.#wait(before);
        return undefined;
      case 'submit':
        return this.#ask(step, requests.submission(cast, step), owed, { voice: 'sender' });
      case 'register': {
        const refused = await this.#ask(step, requests.registration(cast, step), owed);
        this.#registered = refused === undefined && step.client !== 'none';
        return refused;
      }
      case 'subscribe':
        return this.#subscribe(step, owed);
      case 'refresh':
      case 'unsubscribe':
        return this.#resubscribe(step, owed);
      case 'retrieve':
        return this.#retrieve(step, owed);
      case 'publish':
      case 'unpublish': {
        const deliver = step.do === 'publish' ? step.deliver : undefined;
        return this.#ask(step, requests.publication(cast, deliver, this.#etag), owed);
      }
      case 'delete': {
        const uri = this.#uriOf(step.entry);
        if (uri === undefined) return { why: unnamed };
        return this.#ask(step, requests.deletion(cast, uri), owed);
      }
      case 'accept':
        return this.#accept(step.role, before);
      case 'refuse':
        this.hasEnded = true;
        if (!this.#judge.invite) return { why: 'there is no INVITE' };
        this.#endpoint.refuse(this.#judge.invite.transaction, step.status);
        return undefined;
      case 'take':
      case 'reject':
        return this.#answerSend(step, before);
      case 'hang-up':
      case 'disconnect':
        return this.#end(step, before, owed);
    }
  }

  /** Until the timer of the model has run out at the server, too. */
  async #wait(before: AccountState): Promise<void> {
    const timer = nextTimer(before);
    const waitMs = timer === undefined ? 0 : timer.at - before.now + marginMs;
    await pause(this.#deadline.within(waitMs));
  }

  /** A sender with an account registers, for reports come to where he is. */
  async arrive(): Promise<void> {
    if (this.#cast.settings.credentials === undefined) return;
    const request = { ...requests.senderRegistration(this.#cast, 600), owner: 'sender' };
    await atMost(this.#endpoint.request(request, 'sender'), this.#deadline.within(arriveMs));
  }

  /** Takes leave of the server, as far as it listens. */
  async leave(): Promise<void> {
    const leaving: Promise<unknown>[] = [...this.#dialogs].map((owner) => {
      this.#endpoint.media.release(owner);
      return this.#endpoint.bye(owner);
    });
    if (this.#subscription) {
      const { dialog, cseq } = this.#subscription;
      const headers = requests.refresh(this.#cast, 0);
      const again = { ...dialog, localCseq: cseq + 1 };
      leaving.push(this.#endpoint.request({ ...nowhere(headers), owner: 'leave', dialog: again }));
    }
    if (this.#cast.settings.credentials !== undefined) {
      const outgoing = requests.senderRegistration(this.#cast, 0);
      leaving.push(this.#endpoint.request({ ...outgoing, owner: 'sender' }, 'sender'));
    }
    if (this.#registered) {
      const outgoing = requests.registration(this.#cast, { do: 'register', client: 'none' });
      leaving.push(this.#endpoint.request({ ...outgoing, owner: 'leave' }));
    }
    await atMost(Promise.all(leaving), leaveMs);
  }

  /** The server has ended that session. */
  forget(owner: string): void {
    this.#dialogs.delete(owner);
    this.#endpoint.media.release(owner);
  }

  // ------------------------------------------------------------------------------- requests

  /** Sends it and holds the answer against what is owed; of another class the path cannot go on. */
  async #ask(
    step: Step,
    outgoing: requests.Outgoing,
    owed: Owed | undefined,
    more: { readonly inspect?: Inspect; readonly voice?: Voice } = {},
  ): Promise<Impossible | undefined> {
    const request = { ...outgoing, owner: `request/${this.#next++}` };
    const withinMs = this.#deadline.within(this.#cast.settings.timeoutMs);
    const heard = await atMost(this.#endpoint.request(request, more.voice), withinMs);
    return this.#judgeAnswer(step, heard, owed, more.inspect ?? (() => []));
  }

  #judgeAnswer(
    step: Step,
    heard: Heard | undefined,
    owed: Owed | undefined,
    inspect: Inspect,
  ): Impossible | undefined {
    const method = methodOf(step);
    if (heard === undefined && this.#deadline.isOver) {
      this.#judge.excuse(owed, deadlinePassed);
      return { why: deadlinePassed };
    }
    if (heard?.kind !== 'response') {
      const why = heard?.cause === 'transport' ? 'the target cannot be reached' : 'no answer';
      this.#judge.failOf(owed, why);
      return { why: `${method}: ${why}` };
    }
    this.heard = true;
    const { response } = heard;
    if (step.do === 'unpublish') this.#etag = undefined;
    if (step.do === 'publish') this.#etag = response.header('SIP-ETag') ?? this.#etag;
    const wanted = statusOf(owed);
    if (wanted === undefined || response.status === wanted) {
      this.#judge.meetOf(owed, inspect(response));
      return undefined;
    }
    const seen = `${response.status} ${response.reason}`.trim();
    const excuse = excuseOf(step, response, this.#cast.settings);
    if (excuse !== undefined) {
      this.#judge.excuse(owed, excuse);
      return { why: excuse };
    }
    this.#judge.failOf(owed, seen);
    const isAlike = wanted < 300 === response.status < 300;
    return isAlike ? undefined : { why: `${method} was answered ${seen}` };
  }

  async #subscribe(
    step: Extract<Step, { readonly do: 'subscribe' }>,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const number = this.#next++;
    const callId = `subscription-${number}-${this.#cast.mark}`;
    const localTag = `tag-${number}`;
    const outgoing = requests.subscription(this.#cast, step);
    // NOTIFY may be here before the answer (RFC 6665 4.1.2.4).
    this.#judge.subscribed(callId);
    const sent = { callId, localTag, localUri: this.#cast.user, cseq: 1 };
    let fault: string | undefined;
    const inspect: Inspect = (response) => {
      if (response.status >= 300) return [];
      const dialog = dialogIn(sent, response);
      if (dialog) this.#subscription = { dialog, cseq: 1 };
      else fault = 'the 200 to SUBSCRIBE opens no dialog';
      const [item, clause] = ['IMSpec-DMT-S-002', 'RFC 6665 4.2.1.1'] as const;
      return [{ item, clause, expected: '200 with Contact', ...(fault && { seen: fault }) }];
    };
    const voice = step.fault === 'identity' ? 'sender' : 'user';
    const request = { ...outgoing, callId, localTag, cseq: 1 };
    const refused = await this.#ask(step, request, owed, { inspect, voice });
    return refused ?? (fault === undefined ? undefined : { why: fault });
  }

  async #resubscribe(
    step: Extract<Step, { readonly do: 'refresh' | 'unsubscribe' }>,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const subscription = this.#subscription;
    if (!subscription) return { why: 'there is no subscription' };
    subscription.cseq++;
    if (step.do === 'unsubscribe') this.#subscription = undefined;
    const headers = requests.refresh(this.#cast, step.do === 'unsubscribe' ? 0 : undefined);
    const dialog = { ...subscription.dialog, localCseq: subscription.cseq };
    return this.#ask(step, { ...nowhere(headers), dialog }, owed);
  }

  async #retrieve(
    step: Extract<Step, { readonly do: 'retrieve' }>,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const { faults, list } = step;
    const uris: string[] = [];
    for (const entry of list ?? []) {
      const uri = this.#uriOf(entry);
      if (uri === undefined) return { why: unnamed };
      uris.push(uri);
    }
    const owner = `retrieval/${this.#next++}`;
    if (owed) this.#judge.sessions.set(owed.by, owner);
    const path = this.#endpoint.media.reserve(owner);
    const outgoing = requests.retrieval(this.#cast, faults, path, list && uris);
    const inspect = (response: SipResponse): readonly Finding[] => {
      if (response.status >= 300) return inspectRefusal(response, this.#judge.itemOf(owed));
      return inspectAcceptance(response);
    };
    const isNobody = faults.includes('identity') || faults.includes('account');
    const request = this.#endpoint.request({ ...outgoing, owner }, isNobody ? 'nobody' : 'user');
    const withinMs = this.#deadline.within(this.#cast.settings.timeoutMs);
    const heard = await atMost(request, withinMs);
    const response = heard?.kind === 'response' ? heard.response : undefined;
    if (response && response.status < 300) {
      this.#dialogs.add(owner);
      const media = mediaOf(response);
      if (media) this.#endpoint.media.connect(owner, { path: media.path, active: true });
    } else if (!response) void this.#endpoint.bye(owner);
    return this.#judgeAnswer(step, heard, owed, inspect);
  }

  // ------------------------------------------------------------------------------- sessions

  #accept(role: 'active' | 'passive', before: AccountState): Impossible | undefined {
    const { invite } = this.#judge;
    const media = invite && mediaOf(invite.request);
    const [session] = before.peers.invites;
    if (!invite || !media || session === undefined) return { why: 'there is no offer to accept' };
    const owner = invite.transaction;
    const path = this.#endpoint.media.reserve(owner);
    const sdp = requests.description(path, 'recvonly', role);
    const { contact } = this.#cast;
    this.#endpoint.accept(owner, sdp, `<${contact}>;+g.oma.sip-im`);
    this.#endpoint.media.connect(owner, { path: media.path, active: role === 'active' });
    this.#dialogs.add(owner);
    return undefined;
  }

  #answerSend(
    step: Extract<Step, { readonly do: 'take' | 'reject' }>,
    before: AccountState,
  ): Impossible | undefined {
    const [next] = before.peers.sends;
    const send = next && this.#judge.takeSend(next.session, next.serial);
    if (!send) return { why: 'there is no SEND to answer' };
    send.settle(step.do === 'take' ? 200 : step.status);
    return undefined;
  }

  async #end(
    step: Extract<Step, { readonly do: 'hang-up' | 'disconnect' }>,
    before: AccountState,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const session = sessionOf(before);
    const owner = session && this.#judge.sessions.get(session);
    if (owner === undefined) return { why: 'there is no session to end' };
    this.hasEnded = true;
    if (step.do === 'disconnect') {
      await this.#endpoint.media.disconnect();
      return undefined;
    }
    this.#endpoint.media.release(owner);
    this.#dialogs.delete(owner);
    const withinMs = this.#deadline.within(this.#cast.settings.timeoutMs);
    const heard = await atMost(this.#endpoint.bye(owner), withinMs);
    return this.#judgeAnswer(step, heard, owed, () => []);
  }

  #uriOf(entry: ListEntry): string | undefined {
    return entry === 'unknown' ? unknownUri : this.#judge.idOf(entry);
  }
}

const unnamed = 'the server has not told the Message-ID';
const leaveMs = 500;
const arriveMs = 2000;
/** Clocks go differently, and a server is not at once at work. */
const marginMs = 250;

/** The status of the answer that is owed. */
function statusOf(owed: Owed | undefined): number | undefined {
  if (owed?.effect.type === 'sip.accept') return 200;
  return owed?.effect.type === 'sip.respond' ? owed.effect.status : undefined;
}

function nowhere(headers: requests.Outgoing['headers']): requests.Outgoing {
  return { method: 'SUBSCRIBE', uri: '', from: '', to: '', route: [], headers };
}

/** Undefined: the response opens none. */
function dialogIn(sent: SentRequest, response: SipResponse): SipDialog | undefined {
  try {
    return dialogOfResponse(sent, response);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
