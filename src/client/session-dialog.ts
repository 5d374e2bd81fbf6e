/** The dialog of a session of ours: requests inside it, and what its machine asks of the ports. */

import type { SessionEffect } from '../machines/client/effects.js';
import type { SipReceived } from '../ports.js';
import { allow, contact } from './request.js';
import type { ClientWorld } from './world.js';

/** ms between two notices that the session lives: a busy one is not to set a timer per message. */
const progressMs = 1_000;

export class SessionDialog {
  readonly #world: ClientWorld;
  readonly #owner: string;
  readonly #bye: (transaction: string, reason: string | undefined) => void;
  #heardAt = 0;
  #byes = 0;

  constructor(
    world: ClientWorld,
    owner: string,
    bye: (transaction: string, reason: string | undefined) => void,
  ) {
    this.#world = world;
    this.#owner = owner;
    this.#bye = bye;
  }

  /** Calls at most once in a while. */
  progress(tell: () => void): void {
    const now = this.#world.clock.now();
    if (now - this.#heardAt < progressMs) return;
    this.#heardAt = now;
    tell();
  }

  /** A request inside the dialog. */
  request({ request, transaction }: SipReceived): void {
    const { sip } = this.#world;
    switch (request.method) {
      case 'BYE':
        this.#bye(transaction, request.header('Reason'));
        return;
      case 'OPTIONS':
        sip.respond(transaction, { status: 200, headers: [['Allow', allow]] });
        return;
      case 'UPDATE':
        this.#update(transaction, request.body.length === 0);
        return;
      case 'INVITE':
        // RFC 3261 14.2: the session stays as it is.
        sip.respond(transaction, { status: 488, headers: [] });
        return;
      default:
        sip.respond(transaction, { status: 405, headers: [['Allow', allow]] });
    }
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

  /** RFC 4028 7.4: without an offer it refreshes the session, which stays as it is. */
  #update(transaction: string, isRefresh: boolean): void {
    const headers = isRefresh ? [contact(this.#world)] : [];
    this.#world.sip.respond(transaction, { status: isRefresh ? 200 : 488, headers });
  }
}
