/** The submissions of a client: one MESSAGE at a time to each URI (RFC 3428 8). */

import { submission as machine } from '../machines/client/submission.js';
import type { SubmissionEffect } from '../machines/client/effects.js';
import type { SubmissionEvent } from '../machines/client/events.js';
import { wrapCpim } from '../wire/cpim.js';
import { formatDateTime } from '../wire/date-time.js';
import { formatSipDate } from '../wire/sip/date.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { ClientActor } from './actor.js';
import { callFailure } from './call-failure.js';
import { ClientError, type SendOptions, type SendOutcome } from './im-client.js';
import type { Party } from './party.js';
import { addressed, answerFacts, commonHeaders, imTag, lineBreak } from './request.js';
import type { ClientWorld } from './world.js';

interface Pending {
  readonly to: string;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer;
  readonly imdnMessageId: string | undefined;
  resolve(outcome: SendOutcome): void;
  reject(error: ClientError): void;
}

export class Submissions {
  readonly #world: ClientWorld;
  /** By Request-URI: those that wait, in order. */
  readonly #waiting = new Map<string, Pending[]>();
  readonly #running = new Map<string, Submission>();
  #queued = 0;
  #next = 1;

  constructor(world: ClientWorld) {
    this.#world = world;
  }

  send(to: string, body: Buffer | string, options: SendOptions): Promise<SendOutcome> {
    const { queuedSubmissions } = this.#world.limits;
    if (this.#queued >= queuedSubmissions) {
      const error = new ClientError('CLIENT_OVERFLOW', `${queuedSubmissions} messages are waiting`);
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const made = compose(this.#world, to, body, options);
      const queue = this.#waiting.get(to);
      const pending = { ...made, to, resolve, reject };
      if (queue) queue.push(pending);
      else this.#waiting.set(to, [pending]);
      this.#queued++;
      this.#start();
    });
  }

  stop(): void {
    const error = new ClientError('CLIENT_STOPPED', 'the client was stopped');
    for (const queue of this.#waiting.values()) for (const { reject } of queue) reject(error);
    this.#waiting.clear();
    this.#queued = 0;
    for (const running of [...this.#running.values()]) running.stop(error);
  }

  #start(): void {
    for (const [to, queue] of this.#waiting) {
      if (this.#running.size >= this.#world.limits.submissions) return;
      if (this.#running.has(to)) continue;
      const pending = queue.shift();
      if (queue.length === 0) this.#waiting.delete(to);
      if (!pending) continue;
      this.#queued--;
      const run = new Submission(this.#world, `submission/${this.#next++}`, pending, () => {
        this.#running.delete(to);
        this.#start();
      });
      this.#running.set(to, run);
      run.start();
    }
  }
}

class Submission implements Party {
  readonly #world: ClientWorld;
  readonly #owner: string;
  readonly #pending: Pending;
  readonly #onEnd: () => void;
  readonly #actor: ClientActor<SubmissionEvent, SubmissionEffect>;
  #attempt = 0;
  #callId = '';

  constructor(world: ClientWorld, owner: string, pending: Pending, onEnd: () => void) {
    this.#world = world;
    this.#owner = owner;
    this.#pending = pending;
    this.#onEnd = onEnd;
    this.#actor = new ClientActor(machine, world, (effect) => this.#perform(effect));
    world.parties.add(owner, this);
  }

  start(): void {
    const { waits, limits } = this.#world;
    const { attempts } = limits;
    this.#actor.tell({ ...this.#actor.stamp(), type: 'submit', attempts, waits });
  }

  stop(error: ClientError): void {
    this.#finish();
    this.#pending.reject(error);
  }

  answered(id: string, response: SipResponse): void {
    if (id !== String(this.#attempt) || response.status < 200) return;
    const answer = answerFacts(response);
    this.#actor.tell({ ...this.#actor.stamp(), type: 'answered', answer });
  }

  failed(id: string, cause: 'timeout' | 'transport'): void {
    if (id !== String(this.#attempt)) return;
    this.#actor.tell({ ...this.#actor.stamp(), type: 'failed', cause });
  }

  #perform(effect: Exclude<SubmissionEffect, { type: 'timer.set' | 'timer.cancel' }>): void {
    const { resolve, reject, imdnMessageId } = this.#pending;
    switch (effect.type) {
      case 'sip.message':
        this.#send(effect);
        return;
      case 'call.settled': {
        const { status, reason, warning } = effect.answer;
        this.#finish();
        resolve({
          status,
          reason,
          callId: this.#callId,
          ...(warning !== undefined && { warning }),
          ...(imdnMessageId !== undefined && { imdnMessageId }),
        });
        return;
      }
      case 'call.failed':
        this.#finish();
        reject(callFailure(effect.cause, 'MESSAGE', this.#world));
        return;
      default:
        effect satisfies never;
    }
  }

  #send({ callId, localTag, cseq }: Extract<SubmissionEffect, { type: 'sip.message' }>): void {
    const { to, headers, body } = this.#pending;
    this.#callId = callId;
    this.#attempt++;
    this.#world.sip.request({
      owner: this.#owner,
      id: String(this.#attempt),
      method: 'MESSAGE',
      ...addressed(this.#world, to, to),
      headers,
      body,
      callId,
      cseq,
      localTag,
    });
  }

  #finish(): void {
    this.#actor.stop();
    this.#world.parties.remove(this.#owner);
    this.#onEnd();
  }
}

function compose(world: ClientWorld, to: string, content: Buffer | string, options: SendOptions) {
  const body = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const type = options.contentType ?? 'text/plain;charset=utf-8';
  for (const text of [to, type, options.subject ?? '']) {
    if (lineBreak.test(text)) throw new ClientError('CLIENT_USAGE', 'a value has a line break');
  }
  const now = world.clock.now();
  const imdnMessageId = options.requestReports ? world.random.token(16) : undefined;
  const headers: HeaderField[] = [
    ...commonHeaders(world),
    ['Accept-Contact', `*;${imTag}`],
    ['Date', formatSipDate(now)],
  ];
  if (options.expires !== undefined) headers.push(['Expires', String(options.expires)]);
  if (options.subject !== undefined) headers.push(['Subject', options.subject]);
  if (options.urgent) headers.push(['Priority', 'urgent']);
  headers.push(['Content-Type', imdnMessageId === undefined ? type : 'message/cpim']);
  if (imdnMessageId === undefined) return { headers, body, imdnMessageId };
  const wrapped = wrapCpim({
    from: world.options.aor,
    to,
    dateTime: formatDateTime(now),
    headers: [
      ['NS', 'imdn <urn:ietf:params:imdn>'],
      ['imdn.Message-ID', imdnMessageId],
      ['imdn.Disposition-Notification', 'processing, negative-delivery'],
    ],
    contentType: type,
    body,
  });
  return { headers, body: wrapped, imdnMessageId };
}
