/** A push session at work: the server's INVITE, answered at once, and the messages it brings. */

import { delivery as machine } from '../machines/client/delivery.js';
import type { DeliveryEffect } from '../machines/client/effects.js';
import type { DeliveryEvent } from '../machines/client/events.js';
import type { MsrpIncoming, MsrpSink, SipReceived } from '../ports.js';
import type { Sdp } from '../wire/sdp.js';
import type { SipResponse } from '../wire/sip/message.js';
import { ClientActor } from './actor.js';
import type { DeliveredMessage } from './im-client.js';
import type { Intake } from './intake.js';
import { offeredPeer, recvonlyAnswer, sdpOf, sdpType } from './media.js';
import { MessageSession } from './message-session.js';
import type { Party } from './party.js';
import { allow, contact } from './request.js';
import { sessionFailure } from './retrieval.js';
import type { ClientWorld } from './world.js';

export interface DeliverySettings {
  readonly owner: string;
  /** Resolves with false when there is no room for the message. */
  readonly consume: (message: DeliveredMessage) => Promise<boolean>;
  readonly onEnd: () => void;
}

export class Delivery implements Party {
  readonly #world: ClientWorld;
  readonly #settings: DeliverySettings;
  readonly #actor: ClientActor<DeliveryEvent, DeliveryEffect>;
  readonly #session: MessageSession;
  #offer: Sdp | undefined;

  constructor(world: ClientWorld, intake: Intake, settings: DeliverySettings) {
    this.#world = world;
    this.#settings = settings;
    const { owner, consume } = settings;
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
        overflow: () => this.#tell({ type: 'overflow' }),
        bye: (transaction, reason) =>
          this.#actor.tell({
            ...this.#actor.stamp(),
            type: 'bye.received',
            transaction,
            ...(reason !== undefined && { reason }),
          }),
      },
      consume,
    });
    world.parties.add(owner, this);
  }

  invited({ request, transaction }: SipReceived, busy: boolean): void {
    const { waits, options } = this.#world;
    this.#offer = sdpOf(request);
    const peer = offeredPeer(this.#world, this.#offer);
    this.#actor.tell({
      ...this.#actor.stamp(),
      type: 'invite.received',
      transaction,
      willing: options.push !== 'decline',
      busy,
      waits,
      ...(peer && { peer }),
    });
  }

  withdraw(): void {
    this.#tell({ type: 'withdraw' });
  }

  stop(): void {
    this.#world.msrp.release(this.#settings.owner);
    this.#finish();
  }

  answered(_id: string, response: SipResponse): void {
    const { status, reason } = response;
    if (status < 200) return;
    this.#actor.tell({ ...this.#actor.stamp(), type: 'answered', answer: { status, reason } });
  }

  failed(_id: string, cause: 'timeout' | 'transport'): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'failed', cause });
  }

  request(received: SipReceived): void {
    this.#session.request(received);
  }

  acknowledged(): void {
    this.#tell({ type: 'acknowledged' });
  }

  unacknowledged(): void {
    this.#tell({ type: 'unacknowledged' });
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

  #tell(event: {
    readonly type:
      'progress' | 'overflow' | 'withdraw' | 'acknowledged' | 'unacknowledged' | 'msrp.connected';
  }): void {
    this.#actor.tell({ ...this.#actor.stamp(), ...event });
  }

  #perform(effect: Exclude<DeliveryEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    if (effect.type === 'sip.accept') this.#accept(effect);
    else if (effect.type === 'session.ended') {
      if (effect.end !== 'server') this.#world.trouble(sessionFailure(effect.end));
    } else this.#session.perform(effect);
  }

  #accept({ transaction, active }: Extract<DeliveryEffect, { type: 'sip.accept' }>): void {
    const world = this.#world;
    const { owner } = this.#settings;
    const path = world.msrp.reserve(owner);
    world.sip.respond(transaction, {
      status: 200,
      owner,
      headers: [
        contact(world),
        ['Server', `IM-client/OMA1.0 ${world.product}`],
        ['Allow', allow],
        ['Content-Type', sdpType],
      ],
      // The machine accepts only with an offer that serves.
      body: recvonlyAnswer(world, path, this.#offer!, active),
    });
  }

  #finish(): void {
    this.#actor.stop();
    this.#world.parties.remove(this.#settings.owner);
    this.#settings.onEnd();
  }
}
