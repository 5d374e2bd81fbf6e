/** One MSRP session that carries messages to us: what retrieval and push have in common. */

import type { SessionEffect } from '../machines/client/effects.js';
import type { MsrpIncoming, MsrpSink, SipReceived } from '../ports.js';
import type { Consumer, Intake } from './intake.js';
import type { DeliveredMessage } from './im-client.js';
import { SessionDialog } from './session-dialog.js';
import type { ClientWorld } from './world.js';

/** What the machine of the session hears. */
export interface SessionListener {
  progress(): void;
  /** Who takes the messages has failed, or has no room. */
  overflow(error: unknown): void;
  bye(transaction: string, reason: string | undefined): void;
}

export class MessageSession implements Consumer {
  readonly #intake: Intake;
  readonly #dialog: SessionDialog;
  readonly #listener: SessionListener;
  readonly #consume: (message: DeliveredMessage) => boolean | Promise<boolean>;
  #tail: Promise<unknown> = Promise.resolve();

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
    this.#intake = intake;
    this.#listener = session.listener;
    this.#consume = session.consume;
    this.#dialog = new SessionDialog(world, session.owner, (transaction, reason) =>
      session.listener.bye(transaction, reason),
    );
  }

  receive(incoming: MsrpIncoming): MsrpSink | number {
    return this.#intake.receive(incoming, this);
  }

  progress(): void {
    this.#dialog.progress(() => this.#listener.progress());
  }

  /** One after the other, in the order in which the messages were complete. */
  take(message: DeliveredMessage): Promise<boolean> {
    const turn = this.#tail.then(() => this.#hand(message));
    this.#tail = turn;
    return turn;
  }

  /** A request inside the dialog. */
  request(received: SipReceived): void {
    this.#dialog.request(received);
  }

  perform(effect: Exclude<SessionEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    this.#dialog.perform(effect);
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
