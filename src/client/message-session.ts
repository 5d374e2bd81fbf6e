/** One MSRP session that carries messages to us: what retrieval and push have in common. */

import type { SessionEffect } from '../machines/client/effects.js';
import type { MsrpIncoming, MsrpSink, SipReceived } from '../ports.js';
import type { Consumer, Intake } from './intake.js';
import type { DeliveredMessage } from './im-client.js';
import { allow, contact } from './request.js';
import type { ClientWorld } from './world.js';

/** ms between two notices that the session lives: a busy one is not to set a timer per message. */
const progressMs = 1_000;

/** What the machine of the session hears. */
export interface SessionListener {
  progress(): void;
  /** Who takes the messages has failed, or has no room. */
  overflow(error: unknown): void;
  bye(transaction: string, reason: string | undefined): void;
}

export class MessageSession implements Consumer {
  readonly #world: ClientWorld;
  readonly #intake: Intake;
  readonly #owner: string;
  readonly #listener: SessionListener;
  readonly #consume: (message: DeliveredMessage) => boolean | Promise<boolean>;
  #heardAt = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #byes = 0;

  constructor(
    world: ClientWorld,
    intake: Intake,
    session: {
      readonly owner: string;
      readonly listener: SessionListener;
      /** Resolves with false when there is no room for the message. */
      readonly consume: (message: DeliveredMessage) => boolean | Promise<boolean>;
    },
  ) {
    this.#world = world;
    this.#intake = intake;
    this.#owner = session.owner;
    this.#listener = session.listener;
    this.#consume = session.consume;
  }

  receive(incoming: MsrpIncoming): MsrpSink | number {
    return this.#intake.receive(incoming, this);
  }

  progress(): void {
    const now = this.#world.clock.now();
    if (now - this.#heardAt < progressMs) return;
    this.#heardAt = now;
    this.#listener.progress();
  }

  /** One after the other, in the order in which the messages were complete. */
  take(message: DeliveredMessage): Promise<boolean> {
    const turn = this.#tail.then(() => this.#hand(message));
    this.#tail = turn;
    return turn;
  }

  /** A request inside the dialog. */
  request({ request, transaction }: SipReceived): void {
    switch (request.method) {
      case 'BYE':
        this.#listener.bye(transaction, request.header('Reason'));
        return;
      case 'OPTIONS':
        this.#world.sip.respond(transaction, { status: 200, headers: [['Allow', allow]] });
        return;
      case 'UPDATE':
        this.#update(transaction, request.body.length === 0);
        return;
      case 'INVITE':
        // RFC 3261 14.2: the session stays as it is.
        this.#world.sip.respond(transaction, { status: 488, headers: [] });
        return;
      default:
        this.#world.sip.respond(transaction, { status: 405, headers: [['Allow', allow]] });
    }
  }

  /** RFC 4028 7.4: without an offer it refreshes the session, which stays as it is. */
  #update(transaction: string, isRefresh: boolean): void {
    const headers = isRefresh ? [contact(this.#world)] : [];
    this.#world.sip.respond(transaction, { status: isRefresh ? 200 : 488, headers });
  }

  perform(effect: Exclude<SessionEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    const { sip, msrp } = this.#world;
    switch (effect.type) {
      case 'sip.respond':
        sip.respond(effect.transaction, { status: effect.status, headers: [] });
        return;
      case 'sip.bye':
        sip.bye(this.#owner, `bye/${++this.#byes}`, []);
        return;
      case 'sip.forget':
        sip.forget(this.#owner);
        return;
      case 'msrp.connect':
        msrp.connect(this.#owner, { path: effect.path, active: effect.active });
        return;
      case 'msrp.release':
        msrp.release(this.#owner);
        return;
      case 'session.ended':
        return;
      default:
        effect satisfies never;
    }
  }

  async #hand(message: DeliveredMessage): Promise<boolean> {
    try {
      const taken = await this.#consume(message);
      if (taken) this.progress();
      return taken;
    } catch (error) {
      this.#listener.overflow(error);
      return false;
    }
  }
}
