/** Does a step on the wire, and looks at the answer to it. */

import type { Address } from '../../machines/events.js';
import { dialogOfResponse, type SipDialog } from '../../wire/sip/dialog.js';
import type { SipResponse } from '../../wire/sip/message.js';
import type { AccountState } from '../bounded-account.js';
import type { Heard, TesterEndpoint } from './endpoint.js';
import { methodOf } from './expectation.js';
import { inspectAcceptance, inspectRefusal, mediaOf, type Finding } from './inspection.js';
import type { Judge } from './judge.js';
import { nextTimer, type Owed } from './model.js';
import * as requests from './requests.js';
import { sessionOf, subscriptionOf, unknownUri } from './step-facts.js';
import type { ListEntry, Step } from './step.js';

/** Why a step cannot be taken, or the path not be gone on. */
export interface Impossible {
  readonly why: string;
}

interface Subscription {
  readonly dialog: SipDialog;
  cseq: number;
}

export class Performer {
  readonly #cast: requests.Cast;
  readonly #endpoint: TesterEndpoint;
  readonly #judge: Judge;
  readonly #subscriptions = new Map<Address, Subscription>();
  /** Sessions whose dialog the tester has to end when it leaves. */
  readonly #dialogs = new Set<string>();
  #etag: string | undefined;
  #registered = false;
  #next = 1;
  /** Whether the target has said anything. */
  heard = false;
  /** The tester has ended a session itself, or has refused one. */
  hasEnded = false;

  constructor(cast: requests.Cast, endpoint: TesterEndpoint, judge: Judge) {
    this.#cast = cast;
    this.#endpoint = endpoint;
    this.#judge = judge;
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
        return this.#ask(step, requests.submission(cast, step), owed);
      case 'register': {
        const refused = await this.#ask(step, requests.registration(cast, step), owed);
        this.#registered = refused === undefined && step.client !== 'none';
        return refused;
      }
      case 'subscribe':
        return this.#subscribe(step, owed);
      case 'refresh':
      case 'unsubscribe':
        return this.#resubscribe(step, before, owed);
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
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  /** Takes leave of the server, as far as it listens. */
  async leave(): Promise<void> {
    const leaving: Promise<unknown>[] = [...this.#dialogs].map((owner) => {
      this.#endpoint.msrp.release(owner);
      return this.#endpoint.bye(owner);
    });
    for (const { dialog, cseq } of this.#subscriptions.values()) {
      const headers = requests.refresh(this.#cast, 0);
      const again = { ...dialog, localCseq: cseq + 1 };
      leaving.push(this.#endpoint.request({ ...nowhere(headers), owner: 'leave', dialog: again }));
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
    this.#endpoint.msrp.release(owner);
  }

  // ------------------------------------------------------------------------------- requests

  /** Sends it and holds the answer against what is owed; of another class the path cannot go on. */
  async #ask(
    step: Step,
    outgoing: requests.Outgoing,
    owed: Owed | undefined,
    inspect: (response: SipResponse) => readonly Finding[] = () => [],
    owner = `request/${this.#next++}`,
  ): Promise<Impossible | undefined> {
    const { timeoutMs } = this.#cast.settings;
    const heard = await atMost(this.#endpoint.request({ ...outgoing, owner }), timeoutMs);
    return this.#judgeAnswer(step, heard, owed, inspect);
  }

  #judgeAnswer(
    step: Step,
    heard: Heard | undefined,
    owed: Owed | undefined,
    inspect: (response: SipResponse) => readonly Finding[],
  ): Impossible | undefined {
    const method = methodOf(step);
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
    this.#judge.failOf(owed, seen);
    const isAlike = wanted < 300 === response.status < 300;
    return isAlike ? undefined : { why: `${method} was answered ${seen}` };
  }

  async #subscribe(
    step: Extract<Step, { readonly do: 'subscribe' }>,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const by = `subscription/${this.#next}` as const;
    const callId = `${by.replace('/', '-')}-${this.#cast.mark}`;
    const localTag = `tag-${this.#next}`;
    const outgoing = requests.subscription(this.#cast, step);
    const address = owed?.by ?? by;
    // NOTIFY may be here before the answer (RFC 6665 4.1.2.4).
    this.#judge.subscribed(callId);
    const localUri = this.#cast.user;
    const dialogIn = (response: SipResponse): readonly Finding[] => {
      if (response.status >= 300) return [];
      const dialog = dialogOfResponse({ callId, localTag, localUri, cseq: 1 }, response);
      this.#subscriptions.set(address, { dialog, cseq: 1 });
      return [];
    };
    return this.#ask(step, { ...outgoing, callId, localTag, cseq: 1 }, owed, dialogIn);
  }

  async #resubscribe(
    step: Extract<Step, { readonly do: 'refresh' | 'unsubscribe' }>,
    before: AccountState,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const address = subscriptionOf(before);
    const subscription = [...this.#subscriptions.values()].at(-1);
    if (address === undefined || !subscription) return { why: 'there is no subscription' };
    subscription.cseq++;
    if (step.do === 'unsubscribe') this.#subscriptions.clear();
    const headers = requests.refresh(this.#cast, step.do === 'unsubscribe' ? 0 : undefined);
    const dialog = { ...subscription.dialog, localCseq: subscription.cseq };
    return this.#ask(step, { ...nowhere(headers), dialog }, owed);
  }

  async #retrieve(
    { faults, list, ...step }: Extract<Step, { readonly do: 'retrieve' }>,
    owed: Owed | undefined,
  ): Promise<Impossible | undefined> {
    const uris: string[] = [];
    for (const entry of list ?? []) {
      const uri = this.#uriOf(entry);
      if (uri === undefined) return { why: unnamed };
      uris.push(uri);
    }
    const owner = `retrieval/${this.#next++}`;
    if (owed) this.#judge.sessions.set(owed.by, owner);
    const path = this.#endpoint.msrp.reserve(owner);
    const outgoing = requests.retrieval(this.#cast, faults, path, list && uris);
    const inspect = (response: SipResponse): readonly Finding[] => {
      if (response.status >= 300) return inspectRefusal(response, this.#judge.itemOf(owed));
      return inspectAcceptance(response);
    };
    const { timeoutMs } = this.#cast.settings;
    const heard = await atMost(this.#endpoint.request({ ...outgoing, owner }), timeoutMs);
    const response = heard?.kind === 'response' ? heard.response : undefined;
    if (response && response.status < 300) {
      this.#dialogs.add(owner);
      const media = mediaOf(response);
      if (media) this.#endpoint.msrp.connect(owner, { path: media.path, active: true });
    } else if (!response) void this.#endpoint.bye(owner);
    return this.#judgeAnswer({ ...step, faults }, heard, owed, inspect);
  }

  // ------------------------------------------------------------------------------- sessions

  #accept(role: 'active' | 'passive', before: AccountState): Impossible | undefined {
    const { invite } = this.#judge;
    const media = invite && mediaOf(invite.request);
    const [session] = before.peers.invites;
    if (!invite || !media || session === undefined) return { why: 'there is no offer to accept' };
    const owner = invite.transaction;
    const path = this.#endpoint.msrp.reserve(owner);
    const sdp = requests.description(path, 'recvonly', role);
    const { contact } = this.#cast;
    this.#endpoint.accept(owner, invite.transaction, sdp, `<${contact}>;+g.oma.sip-im`);
    this.#endpoint.msrp.connect(owner, { path: media.path, active: role === 'active' });
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
      await this.#endpoint.disconnect();
      return undefined;
    }
    this.#endpoint.msrp.release(owner);
    this.#dialogs.delete(owner);
    const heard = await atMost(this.#endpoint.bye(owner), this.#cast.settings.timeoutMs);
    return this.#judgeAnswer(step, heard, owed, () => []);
  }

  #uriOf(entry: ListEntry): string | undefined {
    return entry === 'unknown' ? unknownUri : this.#judge.idOf(entry);
  }
}

const unnamed = 'the server has not told the Message-ID';
const leaveMs = 500;
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

/** Undefined when it takes longer. */
async function atMost<T>(promise: Promise<T>, withinMs: number): Promise<T | undefined> {
  let cancel = (): void => undefined;
  const over = new Promise<undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), withinMs);
    cancel = () => clearTimeout(timer);
  });
  const outcome = await Promise.race([promise, over]);
  cancel();
  return outcome;
}
