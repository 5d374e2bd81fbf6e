/** One subscription to the reg package of a user, kept alive while he is registered (REG-01). */

import { clientStep } from '../machines/client/definition.js';
import type { TimerEffect, WatcherEffect } from '../machines/client/effects.js';
import type { AnswerFacts, NotifyFacts, WatcherEvent, Waits } from '../machines/client/events.js';
import { watcher } from '../machines/client/watcher.js';
import type { Clock, Random, TransactionId } from '../ports.js';
import { WireError } from '../wire/error.js';
import { dialogOfRequest, dialogOfResponse, type SipDialog } from '../wire/sip/dialog.js';
import type { SipRequest, SipResponse } from '../wire/sip/message.js';
import { tagOf } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { parseParams } from '../wire/sip/params.js';

/** A SUBSCRIBE that is to be sent. */
export type Subscribe = Omit<Extract<WatcherEffect, { type: 'sip.subscribe' }>, 'type'>;

export interface SubscriptionUser {
  readonly clock: Clock;
  readonly random: Random;
  /** URI of our side. */
  readonly localUri: string;
  /** Seconds to ask for. */
  readonly expires: number;
  /** Whether it is still wanted when it comes to a refresh. */
  isWanted(): boolean;
  send(id: string, subscribe: Subscribe): void;
  respond(transaction: TransactionId, status: number): void;
  ended(why: { readonly answer?: AnswerFacts; readonly cause?: string }): void;
}

/** Seconds: shorter ones would have us ask without a pause, longer ones no timer can wait for. */
const briefest = 30;
const longest = 604_800;

const waits: Waits = {
  // Behind Timer F.
  answerMs: 40_000,
  retryMs: 60_000,
  farewellMs: 5_000,
  bindMs: 0,
  idleMs: 0,
};

/** Characters of a token that becomes a Call-ID. */
const freshLength = 22;

export class RegistrationSubscription {
  readonly #user: SubscriptionUser;
  #snapshot: ReturnType<typeof clientStep>['snapshot'] | undefined;
  readonly #timers = new Map<string, () => void>();
  #sent: { readonly id: string; readonly subscribe: Subscribe } | undefined;
  #begunAt = 0;

  constructor(user: SubscriptionUser) {
    this.#user = user;
  }

  begin(): void {
    const { expires } = this.#user;
    this.#tell({ ...this.#stamp(), type: 'watch', expires, waits });
  }

  /** Says farewell; `ended` follows. */
  leave(): void {
    this.#tell({ ...this.#stamp(), type: 'unwatch' });
  }

  /** Asks for everything: a SUBSCRIBE brings a NOTIFY that tells it. */
  refresh(): void {
    this.#expire('refresh');
  }

  /** Throws WireError when the NOTIFY is malformed. */
  notified(request: SipRequest, transaction: TransactionId): void {
    const notify = this.#notifyFacts(request, transaction);
    this.#tell({ ...this.#stamp(), type: 'notify.received', notify });
  }

  answered(id: string, response: SipResponse): void {
    if (this.#sent?.id !== id || response.status < 200) return;
    const answer = answerFacts(response);
    const dialog = response.status < 300 ? this.#dialogOf(response) : undefined;
    this.#tell({ ...this.#stamp(), type: 'answered', answer, ...(dialog && { dialog }) });
  }

  failed(id: string, cause: 'timeout' | 'transport'): void {
    if (this.#sent?.id === id) this.#tell({ ...this.#stamp(), type: 'failed', cause });
  }

  /** Withdraws every timer; nothing comes of it any more. */
  stop(): void {
    for (const withdraw of this.#timers.values()) withdraw();
    this.#timers.clear();
  }

  #stamp(): { at: number; fresh: string } {
    const { clock, random } = this.#user;
    return { at: clock.now(), fresh: random.token(freshLength) };
  }

  #tell(event: WatcherEvent): void {
    const { snapshot, effects } = clientStep(watcher, this.#snapshot, event);
    this.#snapshot = snapshot;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: WatcherEffect): void {
    switch (effect.type) {
      case 'timer.set':
      case 'timer.cancel':
        this.#time(effect);
        return;
      case 'sip.subscribe': {
        const { type: _, ...subscribe } = effect;
        const { callId, cseq } = subscribe;
        if (this.#sent?.subscribe.callId !== callId) this.#begunAt = this.#user.clock.now();
        this.#sent = { id: `${callId}/${cseq}`, subscribe };
        this.#user.send(this.#sent.id, subscribe);
        return;
      }
      case 'sip.respond':
        this.#user.respond(effect.transaction, effect.status);
        return;
      case 'watch.ended':
        this.stop();
        this.#user.ended(effect);
        return;
      case 'waiting.show':
        return;
      default:
        effect satisfies never;
    }
  }

  #time(effect: TimerEffect): void {
    const { name } = effect;
    this.#timers.get(name)?.();
    this.#timers.delete(name);
    if (effect.type === 'timer.cancel') return;
    const { clock } = this.#user;
    const withdraw = clock.after(effect.at - clock.now(), () => {
      this.#timers.delete(name);
      if (name !== 'refresh' || this.#user.isWanted()) this.#expire(name);
      else this.leave();
    });
    this.#timers.set(name, withdraw);
  }

  #expire(name: string): void {
    const timer = name as Extract<WatcherEvent, { type: 'timer.expired' }>['name'];
    this.#tell({ ...this.#stamp(), type: 'timer.expired', name: timer });
  }

  #dialogOf(response: SipResponse): SipDialog | undefined {
    const { callId, localTag, cseq } = this.#sent!.subscribe;
    try {
      const { localUri } = this.#user;
      return dialogOfResponse({ callId, localTag, cseq, localUri }, response);
    } catch (error) {
      // A 2xx without Contact opens no dialog; the NOTIFY that follows does.
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  #notifyFacts(request: SipRequest, transaction: TransactionId): NotifyFacts {
    const value = request.header('subscription-state') ?? '';
    const state = /^\s*([a-z]+)/i.exec(value)?.[1]?.toLowerCase();
    if (state !== 'active' && state !== 'pending' && state !== 'terminated') {
      throw new WireError('SIP_SUBSCRIPTION_STATE', 'NOTIFY without a Subscription-State we know');
    }
    const semicolon = value.indexOf(';');
    const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
    const expires = lasting(params.get('expires'));
    const retryAfter = lasting(params.get('retry-after'));
    const reason = this.#reasonOf(params.get('reason')?.toLowerCase());
    return {
      transaction,
      dialog: dialogOfRequest(request, tagOf(request.header('to')) ?? ''),
      state,
      ...(expires !== undefined && { expires }),
      ...(reason !== undefined && { reason }),
      ...(retryAfter !== undefined && { retryAfter }),
    };
  }

  /** Whoever ends every subscription at once is not asked again at once. */
  #reasonOf(reason: string | undefined): string | undefined {
    const isYoung = this.#user.clock.now() - this.#begunAt < waits.retryMs;
    return isYoung && (reason === 'deactivated' || reason === 'timeout') ? 'probation' : reason;
  }
}

function answerFacts(response: SipResponse): AnswerFacts {
  const expires = lasting(response.header('expires'));
  const minExpires = parseDigits(response.header('min-expires'), longest);
  const retryAfter = lasting(/^\s*(\d+)/.exec(response.header('retry-after') ?? '')?.[1]);
  return {
    status: response.status,
    reason: response.reason,
    ...(expires !== undefined && { expires }),
    ...(minExpires !== undefined && { minExpires }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

function lasting(value: string | undefined): number | undefined {
  const seconds = parseDigits(value);
  return seconds === undefined ? undefined : Math.min(Math.max(seconds, briefest), longest);
}
