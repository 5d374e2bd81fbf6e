/** One large message at work: its session, and its content read piece by piece (D-15, D-16). */

import { largeMessage as machine } from '../machines/client/large-message.js';
import type { LargeMessageEffect } from '../machines/client/effects.js';
import type { AnswerFacts, LargeMessageEvent } from '../machines/client/events.js';
import type { Content, SipReceived } from '../ports.js';
import { wrapCpim } from '../wire/cpim.js';
import { formatDateTime } from '../wire/date-time.js';
import { isMessageId } from '../wire/msrp/ident.js';
import { formatSipDate } from '../wire/sip/date.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { ClientActor } from './actor.js';
import { callFailure } from './call-failure.js';
import { contentOf, prefixed, watched } from './content.js';
import { ClientError, type SendLargeOptions, type SendLargeOutcome } from './im-client.js';
import { receivingPeer, sdpType, sendonlyOffer } from './media.js';
import type { Party } from './party.js';
import {
  addressed,
  allow,
  answerFacts,
  commonHeaders,
  contact,
  imTag,
  lineBreak,
} from './request.js';
import { sessionFailure } from './retrieval.js';
import { SessionDialog } from './session-dialog.js';
import type { ClientWorld } from './world.js';

/** The tag of large message mode. */
const largeTag = `${imTag}.large-message`;

/** Characters of a Message-ID: over 90 random bits. */
const messageIdLength = 16;

export class LargeMessage implements Party {
  readonly #world: ClientWorld;
  readonly #owner: string;
  readonly #to: string;
  readonly #options: SendLargeOptions;
  readonly #content: Content;
  readonly #contentType: string;
  readonly #messageId: string;
  readonly #callId: string;
  readonly #imdnMessageId: string | undefined;
  readonly #onEnd: () => void;
  readonly #actor: ClientActor<LargeMessageEvent, LargeMessageEffect>;
  readonly #dialog: SessionDialog;
  #answer: AnswerFacts = { status: 0, reason: '' };
  #resolve: (outcome: SendLargeOutcome) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  /** Throws ClientError `CLIENT_USAGE` for values that cannot be sent. */
  constructor(
    world: ClientWorld,
    owner: string,
    message: {
      readonly to: string;
      readonly content: Buffer | Content;
      readonly options: SendLargeOptions;
    },
    onEnd: () => void,
  ) {
    this.#world = world;
    this.#owner = owner;
    this.#to = message.to;
    this.#options = message.options;
    this.#onEnd = onEnd;
    const { random } = world;
    const { messageId, requestReports, contentType, subject } = message.options;
    const type = contentType ?? 'application/octet-stream';
    assertUsable(message.to, type, subject, messageId);
    this.#messageId = messageId ?? random.token(messageIdLength);
    this.#callId = random.token(22);
    this.#imdnMessageId = requestReports ? random.token(16) : undefined;
    const plain = contentOf(message.content);
    this.#contentType = this.#imdnMessageId === undefined ? type : 'message/cpim';
    const whole =
      this.#imdnMessageId === undefined
        ? plain
        : prefixed(this.#cpimHead(type, this.#imdnMessageId), plain);
    this.#content = watched(whole, () => this.#progress());
    this.#dialog = new SessionDialog(world, owner, (transaction, reason) =>
      this.#actor.tell({
        ...this.#actor.stamp(),
        type: 'bye.received',
        transaction,
        ...(reason !== undefined && { reason }),
      }),
    );
    this.#actor = new ClientActor(
      machine,
      world,
      (effect) => this.#perform(effect),
      (state) => state === 'done' && this.#finish(),
    );
    world.parties.add(owner, this);
  }

  run(): Promise<SendLargeOutcome> {
    const { signal } = this.#options;
    const withdraw = (): void => this.withdraw();
    const outcome = new Promise<SendLargeOutcome>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (signal?.aborted) {
        this.#finish();
        reject(callFailure('withdrawn', 'INVITE', this.#world));
        return;
      }
      const { waits } = this.#world;
      const { size } = this.#content;
      this.#actor.tell({ ...this.#actor.stamp(), type: 'submit', size, waits });
      signal?.addEventListener('abort', withdraw, { once: true });
    });
    return outcome.finally(() => signal?.removeEventListener('abort', withdraw));
  }

  withdraw(): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'withdraw' });
  }

  stop(): void {
    this.#world.msrp.release(this.#owner);
    this.#finish();
    this.#reject(new ClientError('CLIENT_STOPPED', 'the client was stopped'));
  }

  answered(id: string, response: SipResponse): void {
    if (response.status < 200) return;
    const isOpened = id === 'invite' && response.status < 300;
    const peer = isOpened ? receivingPeer(this.#world, response) : undefined;
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
    this.#dialog.request(received);
  }

  connected(): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'msrp.connected' });
  }

  lost(cause: 'refused' | 'closed' | 'timeout' | 'protocol'): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'msrp.lost', cause });
  }

  sent(status: number): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'msrp.sent', status });
  }

  reported(status: number): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'msrp.reported', status });
  }

  #progress(): void {
    this.#dialog.progress(() => this.#actor.tell({ ...this.#actor.stamp(), type: 'progress' }));
  }

  #perform(effect: Exclude<LargeMessageEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    switch (effect.type) {
      case 'sip.invite':
        this.#invite();
        return;
      case 'msrp.send':
        this.#send();
        return;
      case 'call.settled':
        this.#answer = effect.answer;
        if (effect.answer.status >= 300) this.#resolve(this.#outcome(undefined, false));
        return;
      case 'call.failed':
        this.#reject(callFailure(effect.cause, 'INVITE', this.#world));
        return;
      case 'message.settled':
        this.#resolve(this.#outcome(effect.status, effect.reported));
        return;
      case 'session.ended':
        this.#reject(sessionFailure(effect.end));
        return;
      default:
        this.#dialog.perform(effect);
    }
  }

  #outcome(msrpStatus: number | undefined, reported: boolean): SendLargeOutcome {
    const { status, reason, warning } = this.#answer;
    return {
      ...{ status, reason, reported, callId: this.#callId, messageId: this.#messageId },
      ...(warning !== undefined && { warning }),
      ...(msrpStatus !== undefined && { msrpStatus }),
      ...(this.#imdnMessageId !== undefined && { imdnMessageId: this.#imdnMessageId }),
    };
  }

  #invite(): void {
    const world = this.#world;
    const { subject, urgent } = this.#options;
    const [name, value] = contact(world);
    const headers: HeaderField[] = [
      ...commonHeaders(world),
      [name, `${value};${largeTag}`],
      ['Accept-Contact', `*;${largeTag};require;explicit`],
      ['Date', formatSipDate(world.clock.now())],
      ['Allow', allow],
    ];
    if (subject !== undefined) headers.push(['Subject', subject]);
    if (urgent) headers.push(['Priority', 'urgent']);
    world.sip.request({
      owner: this.#owner,
      id: 'invite',
      method: 'INVITE',
      ...addressed(world, this.#to, this.#to),
      headers: [...headers, ['Content-Type', sdpType]],
      body: sendonlyOffer(world, world.msrp.reserve(this.#owner)),
      callId: this.#callId,
      cseq: 1,
    });
  }

  #send(): void {
    this.#world.msrp.send({
      session: this.#owner,
      owner: this.#owner,
      messageId: this.#messageId,
      contentType: this.#contentType,
      headers: [],
      content: this.#content,
      successReport: true,
    });
  }

  #cpimHead(contentType: string, imdnMessageId: string): Buffer {
    return wrapCpim({
      from: this.#world.options.aor,
      to: this.#to,
      dateTime: formatDateTime(this.#world.clock.now()),
      headers: [
        ['NS', 'imdn <urn:ietf:params:imdn>'],
        ['imdn.Message-ID', imdnMessageId],
        ['imdn.Disposition-Notification', 'processing, negative-delivery'],
      ],
      contentType,
      body: Buffer.alloc(0),
    });
  }

  #finish(): void {
    this.#actor.stop();
    this.#world.parties.remove(this.#owner);
    this.#onEnd();
  }
}

function assertUsable(
  to: string,
  contentType: string,
  subject: string | undefined,
  messageId: string | undefined,
): void {
  for (const text of [to, contentType, subject ?? '']) {
    if (lineBreak.test(text)) throw new ClientError('CLIENT_USAGE', 'a value has a line break');
  }
  if (messageId !== undefined && !isMessageId(messageId)) {
    throw new ClientError('CLIENT_USAGE', 'no MSRP Message-ID');
  }
}
