/** The subscription to message waiting at work (IMSpec-DMO-C-010, IMSpec-DMT-C-001). */

import { watcher as machine } from '../machines/client/watcher.js';
import type { WatcherEffect } from '../machines/client/effects.js';
import type { NotifyFacts, WaitingFacts, WatcherEvent } from '../machines/client/events.js';
import type { SipReceived } from '../ports.js';
import { WireError } from '../wire/error.js';
import { parseMessageSummary } from '../wire/message-summary.js';
import { parseContentType } from '../wire/sip/content-type.js';
import { dialogOfRequest, dialogOfResponse, type SipDialog } from '../wire/sip/dialog.js';
import type { SipRequest, SipResponse } from '../wire/sip/message.js';
import { parseDigits } from '../wire/sip/number.js';
import { tagOf } from '../wire/sip/name-addr.js';
import { parseParams } from '../wire/sip/params.js';
import { ClientActor } from './actor.js';
import { Arrivals } from './arrivals.js';
import { callFailure } from './call-failure.js';
import { ClientError, type MessageWaiting, type Outcome } from './im-client.js';
import type { Party } from './party.js';
import { addressed, allow, answerFacts, commonHeaders, contact } from './request.js';
import type { ClientWorld } from './world.js';

const mwiType = 'application/simple-message-summary';

export class Watcher implements Party {
  readonly owner: string;
  readonly #world: ClientWorld;
  readonly #actor: ClientActor<WatcherEvent, WatcherEffect>;
  readonly #states: Arrivals<MessageWaiting>;
  readonly #onEnd: () => void;
  /** Settles when the subscription is over. */
  readonly #over: Promise<void>;
  #end: () => void = () => undefined;
  #sent: { id: string; callId: string; localTag: string; cseq: number } | undefined;

  constructor(world: ClientWorld, owner: string, onEnd: () => void) {
    this.#world = world;
    this.owner = owner;
    this.#onEnd = onEnd;
    this.#states = new Arrivals(world.limits.queuedStates);
    this.#over = new Promise((resolve) => (this.#end = resolve));
    this.#actor = new ClientActor(machine, world, (effect) => this.#perform(effect));
    world.parties.add(owner, this);
  }

  watch(expires: number): AsyncIterableIterator<MessageWaiting, undefined> {
    const { waits } = this.#world;
    this.#actor.tell({ ...this.#actor.stamp(), type: 'watch', expires, waits });
    return this.#states.iterate(() => this.leave());
  }

  /** Ends the subscription; resolves when the server has been told, or will not hear. */
  leave(): Promise<void> {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'unwatch' });
    return this.#over;
  }

  stop(): void {
    this.#finish(new ClientError('CLIENT_STOPPED', 'the client was stopped'));
  }

  /** Whether a NOTIFY outside of INVITE dialogs is for this subscription. */
  isFor(callId: string | undefined): boolean {
    return this.#sent !== undefined && this.#sent.callId === callId;
  }

  /** Answers the NOTIFY. Throws WireError when it is malformed. */
  notified({ request, transaction }: SipReceived): void {
    const notify = notifyFacts(request, transaction);
    this.#actor.tell({ ...this.#actor.stamp(), type: 'notify.received', notify });
  }

  answered(id: string, response: SipResponse): void {
    const sent = this.#sent;
    if (sent?.id !== id || response.status < 200) return;
    const answer = answerFacts(response);
    const dialog = response.status < 300 ? this.#dialogOf(response, sent) : undefined;
    this.#actor.tell({
      ...this.#actor.stamp(),
      type: 'answered',
      answer,
      ...(dialog && { dialog }),
    });
  }

  failed(id: string, cause: 'timeout' | 'transport'): void {
    if (this.#sent?.id !== id) return;
    this.#actor.tell({ ...this.#actor.stamp(), type: 'failed', cause });
  }

  #dialogOf(
    response: SipResponse,
    sent: { callId: string; localTag: string; cseq: number },
  ): SipDialog | undefined {
    try {
      return dialogOfResponse({ ...sent, localUri: this.#world.options.aor }, response);
    } catch (error) {
      // A 2xx without Contact opens no dialog; the NOTIFY that follows does.
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  #perform(effect: Exclude<WatcherEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    switch (effect.type) {
      case 'sip.subscribe':
        this.#subscribe(effect);
        return;
      case 'sip.respond':
        this.#world.sip.respond(effect.transaction, { status: effect.status, headers: [] });
        return;
      case 'waiting.show':
        this.#states.push(effect.summary);
        return;
      case 'watch.ended':
        this.#finish(this.#failureOf(effect));
        return;
      default:
        effect satisfies never;
    }
  }

  #subscribe(effect: Extract<WatcherEffect, { type: 'sip.subscribe' }>): void {
    const world = this.#world;
    const { callId, localTag, cseq, dialog } = effect;
    this.#sent = { id: `${callId}/${cseq}`, callId, localTag, cseq };
    world.sip.request({
      owner: this.owner,
      id: this.#sent.id,
      method: 'SUBSCRIBE',
      ...addressed(world, world.options.aor, world.options.aor),
      headers: [
        ...commonHeaders(world),
        contact(world),
        ['Event', 'message-summary'],
        ['Accept', mwiType],
        ['Allow', allow],
        ['Expires', String(effect.expires)],
      ],
      ...(dialog ? { dialog } : { callId, localTag, cseq }),
    });
  }

  #failureOf(effect: Extract<WatcherEffect, { type: 'watch.ended' }>): ClientError | undefined {
    if (effect.answer) return refusal('SUBSCRIBE', effect.answer);
    if (effect.cause === 'terminated') {
      return new ClientError('CLIENT_SESSION_LOST', 'the server has ended the subscription');
    }
    return effect.cause && callFailure(effect.cause, 'SUBSCRIBE', this.#world);
  }

  #finish(error?: ClientError): void {
    this.#actor.stop();
    this.#world.parties.remove(this.owner);
    this.#states.close(error);
    this.#onEnd();
    this.#end();
  }
}

/** The answer of a server that does not do what was asked for. */
export function refusal(method: string, answer: Outcome): ClientError {
  const warning = answer.warning === undefined ? '' : ` (${answer.warning})`;
  const text = `${method} was answered ${answer.status} ${answer.reason}${warning}`;
  return new ClientError('CLIENT_REFUSED', text, answer.status);
}

function notifyFacts(request: SipRequest, transaction: string): NotifyFacts {
  const value = request.header('Subscription-State');
  const state = /^\s*([A-Za-z]+)/.exec(value ?? '')?.[1]?.toLowerCase();
  if (
    value === undefined ||
    (state !== 'active' && state !== 'pending' && state !== 'terminated')
  ) {
    throw new WireError('SIP_SUBSCRIPTION_STATE', 'NOTIFY without a Subscription-State we know');
  }
  const semicolon = value.indexOf(';');
  const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
  const expires = parseDigits(params.get('expires'));
  const reason = params.get('reason')?.toLowerCase();
  const retryAfter = parseDigits(params.get('retry-after'));
  const summary = summaryOf(request);
  return {
    transaction,
    dialog: dialogOfRequest(request, toTagOf(request)),
    state,
    ...(expires !== undefined && { expires }),
    ...(reason !== undefined && { reason }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(summary && { summary }),
  };
}

function summaryOf(request: SipRequest): WaitingFacts | undefined {
  if (request.body.length === 0) return undefined;
  const type = request.header('Content-Type');
  if (type === undefined || parseContentType(type).type !== mwiType) {
    throw new WireError('MWI_TYPE', `a body that is not ${mwiType}`, 415);
  }
  const { waiting, account, classes, headers } = parseMessageSummary(request.body);
  return {
    waiting,
    ...(account !== undefined && { account }),
    classes: classes.map(({ name, ...counts }) => ({ class: name, ...counts })),
    messages: headers,
  };
}

function toTagOf(request: SipRequest): string {
  return tagOf(request.header('To')) ?? '';
}
