/** The deletion of stored messages by the client: REFER, or MESSAGE with a URI list (D-31). */

import { deletion as machine } from '../machines/client/deletion.js';
import type { DeletionEffect } from '../machines/client/effects.js';
import type { DeletionEvent } from '../machines/client/events.js';
import { writeMultipart } from '../wire/multipart.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { writeUriList } from '../wire/xml/resource-lists.js';
import { ClientActor } from './actor.js';
import { callFailure } from './call-failure.js';
import { ClientError, type Outcome } from './im-client.js';
import type { Party } from './party.js';
import {
  addressed,
  answerFacts,
  commonHeaders,
  contact,
  deferredUri,
  hostOf,
  imTag,
  messageUri,
} from './request.js';
import type { ClientWorld } from './world.js';

const listType = 'application/resource-lists+xml';

export class Deletion implements Party {
  readonly #world: ClientWorld;
  readonly #owner: string;
  readonly #by: 'refer' | 'list';
  readonly #onEnd: () => void;
  readonly #actor: ClientActor<DeletionEvent, DeletionEffect>;
  #resolve: (outcome: Outcome) => void = () => undefined;
  #reject: (error: ClientError) => void = () => undefined;

  constructor(world: ClientWorld, owner: string, by: 'refer' | 'list', onEnd: () => void) {
    this.#world = world;
    this.#owner = owner;
    this.#by = by;
    this.#onEnd = onEnd;
    this.#actor = new ClientActor(machine, world, (effect) => this.#perform(effect));
    world.parties.add(owner, this);
  }

  run(ids: readonly string[]): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const { waits } = this.#world;
      const event = { type: 'delete', ids: ids.map(messageUri), waits } as const;
      this.#actor.tell({ ...this.#actor.stamp(), ...event });
    });
  }

  stop(): void {
    this.#finish();
    this.#reject(new ClientError('CLIENT_STOPPED', 'the client was stopped'));
  }

  answered(_id: string, response: SipResponse): void {
    if (response.status < 200) return;
    const answer = answerFacts(response);
    this.#actor.tell({ ...this.#actor.stamp(), type: 'answered', answer });
  }

  failed(_id: string, cause: 'timeout' | 'transport'): void {
    this.#actor.tell({ ...this.#actor.stamp(), type: 'failed', cause });
  }

  #perform(effect: Exclude<DeletionEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    switch (effect.type) {
      case 'sip.delete':
        if (this.#by === 'refer') this.#refer(effect.ids);
        else this.#message(effect.ids);
        return;
      case 'call.settled': {
        const { status, reason, warning } = effect.answer;
        this.#finish();
        this.#resolve({ status, reason, ...(warning !== undefined && { warning }) });
        return;
      }
      case 'call.failed':
        this.#finish();
        this.#reject(callFailure(effect.cause, 'the deletion', this.#world));
        return;
      default:
        effect satisfies never;
    }
  }

  /** RFC 4579 5.11: the focus is asked to let participants go; RFC 5368 for several of them. */
  #refer(ids: readonly string[]): void {
    const world = this.#world;
    const to = deferredUri(world, ids);
    const headers: HeaderField[] = [
      ...commonHeaders(world),
      contact(world),
      ['Accept-Contact', `*;${imTag}`],
      ['Refer-Sub', 'false'],
    ];
    const [only] = ids;
    if (ids.length === 1) {
      headers.push(['Refer-To', `<${only};method=BYE>`], ['Require', 'norefersub']);
      this.#request('REFER', to, headers);
      return;
    }
    const contentId = `${world.random.token(16)}@${hostOf(world.options.aor)}`;
    const boundary = `deletion-${world.random.token(16)}`;
    headers.push(
      ['Refer-To', `<cid:${contentId}>`],
      ['Require', 'multiple-refer, norefersub'],
      ['Content-Type', `multipart/mixed;boundary="${boundary}"`],
    );
    const part = {
      headers: [
        ['Content-Type', listType],
        ['Content-Disposition', 'recipient-list'],
        ['Content-ID', `<${contentId}>`],
      ] as const,
      body: writeUriList(ids.map((id) => `${id};method=BYE`)),
    };
    this.#request('REFER', to, headers, writeMultipart([part], boundary));
  }

  /** RFC 5365: a list at the delete URI. */
  #message(ids: readonly string[]): void {
    const world = this.#world;
    const { deleteUri } = world.options;
    const to = deleteUri ?? `sip:Delete@${hostOf(deferredUri(world, ids))}`;
    const headers: HeaderField[] = [
      ...commonHeaders(world),
      ['Accept-Contact', `*;${imTag}`],
      ['Require', 'recipient-list-message'],
      ['Content-Type', listType],
      ['Content-Disposition', 'recipient-list'],
    ];
    this.#request('MESSAGE', to, headers, writeUriList(ids));
  }

  #request(method: string, to: string, headers: readonly HeaderField[], body?: Buffer): void {
    this.#world.sip.request({
      owner: this.#owner,
      id: 'delete',
      method,
      ...addressed(this.#world, to, to),
      headers,
      ...(body && { body }),
    });
  }

  #finish(): void {
    this.#actor.stop();
    this.#world.parties.remove(this.#owner);
    this.#onEnd();
  }
}
