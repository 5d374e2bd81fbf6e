/** The registration of a client at work: REGISTER requests for its machine. */

import { registration as machine } from '../machines/client/registration.js';
import type { RegistrationEffect } from '../machines/client/effects.js';
import type { AnswerFacts, RegistrationEvent } from '../machines/client/events.js';
import { parseNameAddr } from '../wire/sip/name-addr.js';
import { parseDigits } from '../wire/sip/number.js';
import { uriEquals } from '../wire/sip/uri.js';
import type { SipResponse } from '../wire/sip/message.js';
import { ClientActor } from './actor.js';
import { callFailure } from './call-failure.js';
import { ClientError, type RegisterOutcome } from './im-client.js';
import type { Party } from './party.js';
import { addressed, allow, answerFacts, commonHeaders, contact, hostOf } from './request.js';
import type { ClientWorld } from './world.js';

const owner = 'registration';

interface Call {
  resolve(outcome: RegisterOutcome): void;
  reject(error: ClientError): void;
}

export class Registration implements Party {
  readonly #world: ClientWorld;
  readonly #actor: ClientActor<RegistrationEvent, RegistrationEffect>;
  readonly #localTag: string;
  #call: Call | undefined;
  #pending = '';
  #contactUri = '';

  constructor(world: ClientWorld) {
    this.#world = world;
    this.#localTag = world.random.token(10);
    this.#actor = new ClientActor(machine, world, (effect) => this.#perform(effect));
    world.parties.add(owner, this);
  }

  get isRegistered(): boolean {
    return this.#actor.state === 'registered' || this.#actor.state === 'refreshing';
  }

  register(expires: number): Promise<RegisterOutcome> {
    const { waits } = this.#world;
    return this.#ask({ ...this.#actor.stamp(), type: 'register', expires, waits });
  }

  unregister(): Promise<RegisterOutcome> {
    return this.#ask({ ...this.#actor.stamp(), type: 'unregister' });
  }

  stop(): void {
    this.#actor.stop();
    this.#world.parties.remove(owner);
    this.#call?.reject(new ClientError('CLIENT_STOPPED', 'the client was stopped'));
    this.#call = undefined;
  }

  answered(id: string, response: SipResponse): void {
    if (id !== this.#pending || response.status < 200) return;
    const answer = { ...answerFacts(response), ...this.#granted(response) };
    this.#actor.tell({ ...this.#actor.stamp(), type: 'answered', answer });
  }

  failed(id: string, cause: 'timeout' | 'transport'): void {
    if (id !== this.#pending) return;
    this.#actor.tell({ ...this.#actor.stamp(), type: 'failed', cause });
  }

  #ask(event: RegistrationEvent): Promise<RegisterOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#call) {
        reject(new ClientError('CLIENT_USAGE', 'a registration is already under way'));
        return;
      }
      if (event.type === 'unregister' && !this.isRegistered) {
        resolve({ status: 200, reason: 'OK', expires: 0 });
        return;
      }
      this.#call = { resolve, reject };
      this.#actor.tell(event);
    });
  }

  /** RFC 3261 10.3: the 200 lists every binding; ours carries what was granted to it. */
  #granted(response: SipResponse): Pick<AnswerFacts, 'expires'> {
    if (response.status >= 300) return {};
    for (const value of response.list('Contact')) {
      const address = parseNameAddr(value);
      if (!uriEquals(address.uri, this.#contactUri)) continue;
      const expires = parseDigits(address.params.get('expires'));
      if (expires !== undefined) return { expires };
    }
    return {};
  }

  #perform(effect: Exclude<RegistrationEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    switch (effect.type) {
      case 'sip.register':
        this.#send(effect);
        return;
      case 'registration.lost':
        this.#world.trouble(
          new ClientError('CLIENT_SESSION_LOST', 'the registration has ended', effect.status),
        );
        return;
      case 'call.settled':
        this.#take()?.resolve({
          ...effect.answer,
          expires: effect.answer.status < 300 ? (effect.answer.expires ?? 0) : 0,
        });
        return;
      case 'call.failed':
        this.#take()?.reject(callFailure(effect.cause, 'REGISTER', this.#world));
        return;
      default:
        effect satisfies never;
    }
  }

  #take(): Call | undefined {
    const call = this.#call;
    this.#call = undefined;
    return call;
  }

  #send(effect: Extract<RegistrationEffect, { type: 'sip.register' }>): void {
    const world = this.#world;
    const { aor } = world.options;
    const [name, value] = contact(world);
    this.#contactUri = parseNameAddr(value).uri;
    this.#pending = String(effect.cseq);
    world.sip.request({
      owner,
      id: this.#pending,
      method: 'REGISTER',
      ...addressed(world, `sip:${hostOf(aor)}`, aor),
      headers: [
        ...commonHeaders(world),
        [name, `${value};expires=${effect.expires}`],
        ['Expires', String(effect.expires)],
        ['Allow', allow],
      ],
      callId: effect.callId,
      cseq: effect.cseq,
      localTag: this.#localTag,
    });
  }
}
