/** A retrieval at work (IMSpec-DMT-C-002, -003). */

import { retrieval as machine } from '../machines/client/retrieval.js';
import type { RetrievalEffect } from '../machines/client/effects.js';
import type { AnswerFacts, RetrievalEvent } from '../machines/client/events.js';
import type { MsrpIncoming, MsrpSink, SipReceived } from '../ports.js';
import { writeMultipart } from '../wire/multipart.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { writeUriList } from '../wire/xml/resource-lists.js';
import { ClientActor } from './actor.js';
import { callFailure } from './call-failure.js';
import { ClientError, type DeliveredMessage } from './im-client.js';
import type { RetrieveOptions, RetrieveOutcome } from './im-client.js';
import type { Intake } from './intake.js';
import { answeredPeer, recvonlyOffer, sdpType } from './media.js';
import { MessageSession } from './message-session.js';
import type { Party } from './party.js';
import {
  addressed,
  allow,
  answerFacts,
  commonHeaders,
  contact,
  deferredUri,
  imTag,
  messageUri,
} from './request.js';
import type { ClientWorld } from './world.js';

type Ended = Extract<RetrievalEffect, { type: 'session.ended' }>;

export class Retrieval implements Party {
  readonly #world: ClientWorld;
  readonly #owner: string;
  readonly #options: RetrieveOptions;
  readonly #onEnd: () => void;
  readonly #actor: ClientActor<RetrievalEvent, RetrievalEffect>;
  readonly #session: MessageSession;
  readonly #messages: DeliveredMessage[] = [];
  #collectedBytes = 0;
  #count = 0;
  #answer: AnswerFacts = { status: 0, reason: '' };
  /** Why the consumer of the messages wants no more. */
  #error: unknown;
  #resolve: (outcome: RetrieveOutcome) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(
    world: ClientWorld,
    intake: Intake,
    owner: string,
    options: RetrieveOptions,
    onEnd: () => void,
  ) {
    this.#world = world;
    this.#owner = owner;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#actor = new ClientActor(
      machine,
      world,
      (effect) => this.#perform(effect),
      (state) => state === 'done' && this.#finish(),
    );
    this.#session = new MessageSession(world, intake, {
      owner,
      listener: {
        progress: () => this.#tell({ type: 'progress' }),
        overflow: (error) => {
          this.#error ??= error;
          this.#tell({ type: 'overflow' });
        },
        bye: (transaction, reason) =>
          this.#actor.tell({
            ...this.#actor.stamp(),
            type: 'bye.received',
            transaction,
            ...(reason !== undefined && { reason }),
          }),
      },
      consume: (message) => this.#consume(message),
    });
    world.parties.add(owner, this);
  }

  run(): Promise<RetrieveOutcome> {
    const { ids, signal } = this.#options;
    const withdraw = (): void => this.withdraw();
    const outcome = new Promise<RetrieveOutcome>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (signal?.aborted) {
        this.#finish();
        reject(callFailure('withdrawn', 'INVITE', this.#world));
        return;
      }
      const { waits } = this.#world;
      this.#actor.tell({
        ...this.#actor.stamp(),
        type: 'retrieve',
        waits,
        ...(ids && { ids: ids.map(messageUri) }),
      });
      signal?.addEventListener('abort', withdraw, { once: true });
    });
    return outcome.finally(() => signal?.removeEventListener('abort', withdraw));
  }

  withdraw(): void {
    this.#tell({ type: 'withdraw' });
  }

  stop(): void {
    this.#world.msrp.release(this.#owner);
    this.#finish();
    this.#reject(new ClientError('CLIENT_STOPPED', 'the client was stopped'));
  }

  answered(id: string, response: SipResponse): void {
    if (response.status < 200) return;
    const peer =
      id === 'invite' && response.status < 300 ? answeredPeer(this.#world, response) : undefined;
    this.#actor.tell({
      ...this.#actor.stamp(),
      type: 'answered',
      answer: answerFacts(response),
      ...(peer && { peer }),
    });
  }

  failed(_id: string, cause: 'timeout' | 'transport'): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'failed', cause });
  }

  request(received: SipReceived): void {
    this.#session.request(received);
  }

  connected(): void {
    this.#tell({ type: 'msrp.connected' });
  }

  lost(cause: 'refused' | 'closed' | 'timeout' | 'protocol'): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'msrp.lost', cause });
  }

  receive(incoming: MsrpIncoming): MsrpSink | number {
    return this.#session.receive(incoming);
  }

  #tell(event: { readonly type: 'progress' | 'overflow' | 'withdraw' | 'msrp.connected' }): void {
    this.#actor.tell({ ...this.#actor.stamp(), ...event });
  }

  async #consume(message: DeliveredMessage): Promise<boolean> {
    const { onMessage } = this.#options;
    if (onMessage) await onMessage(message);
    else {
      this.#collectedBytes += message.payload.length;
      if (this.#collectedBytes > this.#world.limits.collectedBytes) {
        throw new ClientError('CLIENT_OVERFLOW', 'too much to collect; use onMessage');
      }
      this.#messages.push(message);
    }
    this.#count++;
    return true;
  }

  #perform(effect: Exclude<RetrievalEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    switch (effect.type) {
      case 'sip.invite':
        this.#invite(effect.ids);
        return;
      case 'call.settled':
        this.#answer = effect.answer;
        if (effect.answer.status >= 300) this.#resolve(this.#outcome('none'));
        return;
      case 'call.failed':
        this.#reject(callFailure(effect.cause, 'INVITE', this.#world));
        return;
      case 'session.ended':
        this.#settle(effect);
        return;
      default:
        this.#session.perform(effect);
    }
  }

  #settle({ end, reason }: Ended): void {
    if (end === 'server') {
      this.#resolve({ ...this.#outcome('server'), ...(reason !== undefined && { cause: reason }) });
      return;
    }
    const failure =
      end === 'overflow' && this.#error !== undefined ? this.#error : sessionFailure(end);
    if (failure instanceof ClientError) failure.messages = this.#messages;
    this.#reject(failure);
  }

  #outcome(ended: 'server' | 'none'): RetrieveOutcome {
    const { status, reason, warning } = this.#answer;
    return {
      status,
      reason,
      ended,
      count: this.#count,
      messages: this.#messages,
      ...(warning !== undefined && { warning }),
    };
  }

  #invite(ids: readonly string[] | undefined): void {
    const world = this.#world;
    const sdp = recvonlyOffer(world, world.msrp.reserve(this.#owner));
    const to = deferredUri(world, ids);
    const headers: HeaderField[] = [
      ...commonHeaders(world),
      contact(world),
      ['Accept-Contact', `*;${imTag};require;explicit`],
      ['Allow', allow],
    ];
    if (ids) headers.push(['Require', 'recipient-list-invite']);
    const boundary = `retrieval-${world.random.token(16)}`;
    const type = ids ? `multipart/mixed;boundary="${boundary}"` : sdpType;
    world.sip.request({
      owner: this.#owner,
      id: 'invite',
      method: 'INVITE',
      ...addressed(world, to, to),
      headers: [...headers, ['Content-Type', type]],
      body: ids ? withList(sdp, ids, boundary) : sdp,
    });
  }

  #finish(): void {
    this.#actor.stop();
    this.#world.parties.remove(this.#owner);
    this.#onEnd();
  }
}

/** RFC 5366 3: the offer and the list, both to be understood. */
function withList(sdp: Buffer, ids: readonly string[], boundary: string): Buffer {
  return writeMultipart(
    [
      { headers: [['Content-Type', sdpType]], body: sdp },
      {
        headers: [
          ['Content-Type', 'application/resource-lists+xml'],
          ['Content-Disposition', 'recipient-list'],
        ],
        body: writeUriList(ids),
      },
    ],
    boundary,
  );
}

export function sessionFailure(end: Ended['end']): ClientError {
  switch (end) {
    case 'withdrawn':
      return new ClientError('CLIENT_CANCELLED', 'the session was ended on our side');
    case 'overflow':
      return new ClientError('CLIENT_OVERFLOW', 'the messages were not taken in time');
    case 'idle':
      return new ClientError('CLIENT_TIMEOUT', 'the server fell silent in the session');
    case 'unbound':
      return new ClientError('CLIENT_TIMEOUT', 'the MSRP session did not come about in time');
    case 'unacknowledged':
      return new ClientError('CLIENT_TIMEOUT', 'the server did not acknowledge the session');
    case 'no-media':
      return new ClientError('CLIENT_SESSION_LOST', 'the answer of the server has no usable SDP');
    case 'lost':
    case 'server':
      return new ClientError('CLIENT_SESSION_LOST', 'the MSRP connection was lost');
  }
}
