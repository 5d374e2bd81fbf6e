/** The settings of the user as the client publishes them (RFC 3903, D-41). */

import { publication as machine } from '../machines/client/publication.js';
import type { PublicationEffect } from '../machines/client/effects.js';
import type { PublicationEvent } from '../machines/client/events.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { writeSettings } from '../wire/xml/settings.js';
import { ClientActor } from './actor.js';
import { callFailure } from './call-failure.js';
import { ClientError, type PublishOutcome, type PublishedSettings } from './im-client.js';
import type { Party } from './party.js';
import { addressed, answerFacts, commonHeaders } from './request.js';
import type { ClientWorld } from './world.js';

/** Neither name was recovered from OMA; a server that uses others is configured alike. */
const event = 'im-settings';
const contentType = 'application/im-settings+xml';

const owner = 'publication';

interface Call {
  resolve(outcome: PublishOutcome): void;
  reject(error: ClientError): void;
}

export class Publication implements Party {
  readonly #world: ClientWorld;
  readonly #actor: ClientActor<PublicationEvent, PublicationEffect>;
  #settings: PublishedSettings = { offlineDelivery: true };
  #call: Call | undefined;
  #sent = 0;

  constructor(world: ClientWorld) {
    this.#world = world;
    this.#actor = new ClientActor(machine, world, (effect) => this.#perform(effect));
    world.parties.add(owner, this);
  }

  get isPublished(): boolean {
    return this.#actor.state === 'published' || this.#actor.state === 'refreshing';
  }

  publish(settings: PublishedSettings, expires: number): Promise<PublishOutcome> {
    const { waits } = this.#world;
    return this.#ask(() => {
      this.#settings = settings;
      return { ...this.#actor.stamp(), type: 'publish', expires, waits };
    });
  }

  unpublish(): Promise<PublishOutcome> {
    if (!this.isPublished) return Promise.resolve({ status: 200, reason: 'OK', expires: 0 });
    return this.#ask(() => ({ ...this.#actor.stamp(), type: 'unpublish' }));
  }

  stop(): void {
    this.#actor.stop();
    this.#world.parties.remove(owner);
    this.#take()?.reject(new ClientError('CLIENT_STOPPED', 'the client was stopped'));
  }

  answered(id: string, response: SipResponse): void {
    if (id !== String(this.#sent) || response.status < 200) return;
    const etag = response.header('SIP-ETag')?.trim();
    this.#actor.tell({
      ...this.#actor.stamp(),
      type: 'answered',
      answer: answerFacts(response),
      ...(etag !== undefined && { etag }),
    });
  }

  failed(id: string, cause: 'timeout' | 'transport'): void {
    if (id !== String(this.#sent)) return;
    this.#actor.tell({ ...this.#actor.stamp(), type: 'failed', cause });
  }

  #ask(make: () => PublicationEvent): Promise<PublishOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#call) {
        reject(new ClientError('CLIENT_USAGE', 'a publication is already under way'));
        return;
      }
      this.#call = { resolve, reject };
      this.#actor.tell(make());
    });
  }

  #perform(effect: Exclude<PublicationEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    switch (effect.type) {
      case 'sip.publish':
        this.#send(effect);
        return;
      case 'publication.lost':
        this.#world.trouble(
          new ClientError('CLIENT_SESSION_LOST', 'the publication has ended', effect.status),
        );
        return;
      case 'call.settled': {
        const { status, reason, warning, expires = 0 } = effect.answer;
        this.#take()?.resolve({
          ...{ status, reason, expires: status < 300 ? expires : 0 },
          ...(warning !== undefined && { warning }),
        });
        return;
      }
      case 'call.failed':
        this.#take()?.reject(callFailure(effect.cause, 'PUBLISH', this.#world));
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

  #send({ expires, etag, body }: Extract<PublicationEffect, { type: 'sip.publish' }>): void {
    const { aor } = this.#world.options;
    const headers: HeaderField[] = [
      ...commonHeaders(this.#world),
      ['Event', event],
      ['Expires', String(expires)],
    ];
    if (etag !== undefined) headers.push(['SIP-If-Match', etag]);
    if (body) headers.push(['Content-Type', contentType]);
    this.#world.sip.request({
      owner,
      id: String(++this.#sent),
      method: 'PUBLISH',
      ...addressed(this.#world, aor, aor),
      headers,
      ...(body && { body: writeSettings(this.#settings) }),
    });
  }
}
