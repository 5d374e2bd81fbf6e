/** Egress: effects of actors become calls of the ports, header fields as STANDARDS 5 shows them. */

import type { Effect, FirstMessage } from '../machines/effects.js';
import type { Address, DialogFacts, Leg } from '../machines/events.js';
import type { AccountId, Log, Owner, Random, SipAnswer, SipPort } from '../ports.js';
import type { HeaderField } from '../wire/sip/message.js';
import type { AnswerParts, Performer } from './account-world.js';
import type { Counters } from './counters.js';
import { answerOf, refusal } from './answers.js';
import { conferenceNotifyParts } from './conference-notify.js';
import { contactOf, focusUser } from './contact.js';
import type { LocalTransactions } from './local-transactions.js';
import { Bridges } from './egress-bridge.js';
import { forwardMessage, passResponse } from './egress-forward.js';
import type { PassingEvent } from './egress-forward.js';
import type { MediaSessions } from './media-sessions.js';
import { notifyParts } from './notify.js';
import type { SummaryForm } from './notify.js';
import { formatOwner } from './owner.js';
import type { OwnerName } from './owner.js';
import { aorUri, methods, packages } from './product.js';
import type { Product } from './product.js';
import type { Profile } from './profile.js';
import { pushInvitation } from './push-invitation.js';
import type { Opening } from './push-invitation.js';
import type { PushOpenings } from './push-opening.js';
import type { Recordings } from './recordings.js';

export interface EgressParts {
  readonly sip: SipPort;
  readonly media: MediaSessions;
  readonly recordings: Recordings;
  /** Transactions that are none of the SIP port's. */
  readonly local: LocalTransactions;
  readonly product: Product;
  readonly summary: SummaryForm | undefined;
  readonly profile: Profile;
  readonly random: Random;
  readonly openings: PushOpenings;
  readonly log: Log;
  readonly counters: Counters;
  /** `sip:Deferred@hostname`. */
  readonly deferredUri: string;
  /** Whether Privacy: id is honoured towards recipients (PAI-03). */
  readonly privacy: boolean;
  /** Seconds in Retry-After of 503. */
  readonly retryAfter: number;
  /** Tells an actor what a port has refused. */
  tell(account: AccountId, to: Address, event: EgressEvent): void;
}

/** Limits are added by whoever passes it on. */
export type EgressEvent = { readonly type: 'invite.failed' | 'ack.missing' } | PassingEvent;

/** A CANCEL that finds no INVITE of a retrieval is remembered in vain, for a while. */
const cancelledMax = 1_024;

/** Of the boundary of a body with several parts; nobody guesses it, so that no message has it. */
const boundaryLength = 24;

/** Characters of a To tag: 95 bits. */
const tagLength = 16;

type Of<Type extends Effect['type']> = Extract<Effect, { type: Type }>;

export class Egress implements Performer {
  readonly #parts: EgressParts;
  /** INVITEs whose answer waits for a path through the relay: what a CANCEL does about them. */
  readonly #answering = new Map<string, () => void>();
  /** INVITEs that were cancelled before their answer could leave, oldest first. */
  readonly #cancelled = new Set<string>();
  readonly #bridges: Bridges;

  constructor(parts: EgressParts) {
    this.#parts = parts;
    this.#bridges = new Bridges(parts);
  }

  perform(account: AccountId, by: Address, effect: Effect, asked: AnswerParts | undefined): void {
    const { sip, media } = this.#parts;
    switch (effect.type) {
      case 'sip.respond':
        this.#respond(account, by, effect, asked);
        return;
      case 'sip.accept':
        this.#accept(account, by, effect, asked);
        return;
      case 'sip.invite':
        this.#invite(account, by, effect);
        return;
      case 'sip.forward':
        this.#forward(account, by, effect, asked);
        return;
      case 'sip.pass':
        if (effect.leg === undefined) passResponse(this.#parts, effect.transaction, asked);
        else this.#bridges.pass(account, by, effect, asked);
        return;
      case 'sip.refresh':
        this.#bridges.refresh(account, by, effect, asked);
        return;
      case 'sip.bye': {
        const headers: HeaderField[] = [['User-Agent', this.#parts.product.name]];
        if (effect.reason !== undefined) headers.push(['Reason', effect.reason]);
        sip.bye(ownerOf(account, by, effect), 'bye', headers);
        return;
      }
      case 'sip.forget':
        sip.forget(ownerOf(account, by, effect));
        return;
      case 'sip.notify':
        this.#notify(account, by, effect);
        return;
      case 'conference.notify':
        this.#notifyConference(account, by, effect);
        return;
      case 'msrp.connect': {
        const { type: _, ...remote } = effect;
        media.connect(formatOwner({ account, address: by }), remote);
        return;
      }
      case 'msrp.send':
        media.send(account, effect);
        return;
      case 'msrp.confirm':
        this.#parts.recordings.confirm(effect.transaction, effect.status, effect.kept);
        return;
      case 'msrp.release':
      case 'stop':
        this.#release(formatOwner({ account, address: by }));
        this.#bridges.release(account, by);
        return;
      default:
        // The others are part of the turn, of the commit or of the outbox.
        return;
    }
  }

  /** SIP-07: whoever accepts this INVITE later hears that nobody waits for it any more. */
  cancel(transaction: string): void {
    const withdraw = this.#answering.get(transaction);
    if (withdraw) {
      this.#answering.delete(transaction);
      withdraw();
      return;
    }
    this.#bridges.cancel(transaction);
    this.#cancelled.add(transaction);
    if (this.#cancelled.size <= cancelledMax) return;
    const [oldest] = this.#cancelled;
    this.#cancelled.delete(oldest!);
  }

  refuse(transaction: string, status: number): void {
    if (this.#parts.local.answer(transaction, status)) return;
    if (this.#parts.recordings.confirm(transaction, status, false)) return;
    const { sip, product, retryAfter } = this.#parts;
    const headers: HeaderField[] = status === 503 ? [['Retry-After', String(retryAfter)]] : [];
    sip.respond(transaction, refusal(status, product, { headers }));
  }

  abandon(account: AccountId, address: Address): void {
    const owner = formatOwner({ account, address });
    this.#release(owner);
    const { sip } = this.#parts;
    if (!address.startsWith('bridge/')) {
      sip.bye(owner, 'abandoned', []);
      return;
    }
    for (const leg of this.#bridges.legs(account, address)) {
      sip.bye(formatOwner({ account, address, leg }), 'abandoned', []);
    }
    this.#bridges.release(account, address);
  }

  /** Of an INVITE that nobody waits for any more its bridge has to hear. */
  #forward(
    account: AccountId,
    by: Address,
    effect: Of<'sip.forward'>,
    asked: AnswerParts | undefined,
  ): void {
    const { target, leg } = effect;
    if (leg === undefined) forwardMessage(this.#parts, { account, address: by }, effect, asked);
    else if (this.#cancelled.has(asked?.transaction ?? '')) {
      this.#parts.tell(account, by, { type: 'invite.cancelled' });
    } else this.#bridges.invite(account, by, { target, leg }, asked);
  }

  #release(owner: Owner): void {
    this.#parts.media.release(owner);
    this.#parts.recordings.release(owner);
  }

  #respond(
    account: AccountId,
    by: Address,
    effect: Of<'sip.respond'>,
    asked: AnswerParts | undefined,
  ): void {
    const { sip, product, local, counters } = this.#parts;
    if (effect.status === 603) counters['actors.declined']++;
    if (local.answer(effect.transaction, effect.status)) return;
    const whose = effect.contactOf ?? by;
    const contact = effect.contact === true ? contactOf(sip, account, whose, asked?.transport) : '';
    sip.respond(effect.transaction, answerOf(effect, product, contact, asked));
  }

  /** S3 11.3.1: Server, Allow, Contact with automata and isfocus, SDP (D-66). */
  #accept(
    account: AccountId,
    by: Address,
    effect: Of<'sip.accept'>,
    asked: AnswerParts | undefined,
  ): void {
    const owner = formatOwner({ account, address: by });
    // An offer inside a dialog may come to nothing: the session goes on as it is.
    const isOpen = this.#parts.media.has(owner);
    const { transaction, active, direction = 'sendonly', maxSize } = effect;
    if (this.#cancelled.delete(transaction)) {
      this.#withdraw(account, by, isOpen);
      return;
    }
    const description = { direction, active, offer: asked?.offer, maxSize };
    this.#answering.set(transaction, () => this.#withdraw(account, by, isOpen));
    this.#parts.media.describe(owner, description, (body) => {
      if (!this.#answering.delete(transaction)) return;
      if (typeof body === 'number') {
        this.refuse(transaction, body);
        if (!isOpen) this.#parts.tell(account, by, { type: 'ack.missing' });
        return;
      }
      const headers = this.#acceptance(account, by, asked);
      const localTag = this.#opened(owner, headers, effect, asked);
      const answer: SipAnswer = { status: 200, headers, body, owner };
      const { sip } = this.#parts;
      sip.respond(transaction, localTag === undefined ? answer : { ...answer, localTag });
    });
  }

  /** A session that takes large messages in begins: what its 200 says is kept with each (D-14). */
  #opened(
    owner: Owner,
    headers: readonly HeaderField[],
    { maxSize }: Of<'sip.accept'>,
    asked: AnswerParts | undefined,
  ): string | undefined {
    if (!asked?.invitation) return undefined;
    const { invitation, localTag: tag = this.#parts.random.token(tagLength) } = asked;
    this.#parts.recordings.open(owner, { invitation, headers, maxSize: maxSize ?? 0, tag });
    return tag;
  }

  /** SIP-07: nobody waits for the answer any more. */
  #withdraw(account: AccountId, by: Address, isOpen: boolean): void {
    if (!isOpen) this.#parts.tell(account, by, { type: 'invite.cancelled' });
  }

  #acceptance(account: AccountId, by: Address, asked: AnswerParts | undefined): HeaderField[] {
    const { sip, product } = this.#parts;
    const takesLists = !by.startsWith('recording/');
    const isFocus = by.startsWith('focus/');
    return [
      ['Contact', contactOf(sip, account, by, asked?.transport)],
      ['Server', product.name],
      ['Allow', isFocus ? methods.focus : methods.dialog],
      ...(isFocus ? [['Allow-Events', packages.focus] as const] : []),
      ...(takesLists ? [['Supported', 'recipient-list-invite'] as const] : []),
      ['Content-Type', 'application/sdp'],
    ];
  }

  #invite(account: AccountId, by: Address, effect: Of<'sip.invite'>): void {
    const { media } = this.#parts;
    const owner = formatOwner({ account, address: by });
    const webSocket = /;transport=wss?(?:[;?>]|$)/i.test(effect.target.uri);
    const wish = { direction: 'sendonly', active: false, webSocket } as const;
    media.describe(owner, wish, (body) => {
      if (typeof body === 'number') this.#parts.tell(account, by, { type: 'invite.failed' });
      else if (!effect.first) this.#sendInvite(account, by, effect, body, undefined);
      else void this.#open(account, by, { effect, first: effect.first, sdp: body });
    });
  }

  /** Reads what the INVITE says of its first message; without that there is no INVITE. */
  async #open(
    account: AccountId,
    by: Address,
    { effect, first, sdp }: { effect: Of<'sip.invite'>; first: FirstMessage; sdp: Buffer },
  ): Promise<void> {
    const { media, openings } = this.#parts;
    const owner = formatOwner({ account, address: by });
    const opening = await openings.read(account, first);
    // The session may have ended meanwhile.
    if (!media.has(owner)) return;
    if (typeof opening !== 'number') this.#sendInvite(account, by, effect, sdp, opening);
    else if (first.carried) openings.fail(account, by, first, opening);
    else this.#sendInvite(account, by, effect, sdp, { first, request: undefined });
  }

  /** D-47: no isfocus, automata and the IM tag, the service as asserted identity. */
  #sendInvite(
    account: AccountId,
    by: Address,
    { target }: Of<'sip.invite'>,
    sdp: Buffer,
    opening: Opening | undefined,
  ): void {
    const { sip, product, deferredUri, profile, random } = this.#parts;
    const contact = contactOf(sip, account, by);
    const boundary = random.token(boundaryLength);
    const parts = { profile, product, contact, deferredUri, sdp, boundary };
    const { identity, headers, body } = pushInvitation(parts, opening);
    sip.request({
      owner: formatOwner({ account, address: by }),
      id: 'invite',
      method: 'INVITE',
      uri: target.uri,
      from: `<${identity}>`,
      to: `<${aorUri(account)}>`,
      route: target.route,
      headers,
      body,
    });
  }

  #notify(account: AccountId, by: Address, effect: Of<'sip.notify'>): void {
    const { sip, product } = this.#parts;
    const { headers, body } = notifyParts(effect, product.hostname, this.#parts.summary);
    const contact = contactOf(sip, account, by);
    this.#sendNotify({ account, address: by }, effect.dialog, contact, headers, body);
  }

  #notifyConference(account: AccountId, by: Address, effect: Of<'conference.notify'>): void {
    const { sip, product } = this.#parts;
    const { focus, dialog } = effect;
    const uri = sip.contactUri(focusUser(account, focus));
    const { headers, body } = conferenceNotifyParts(effect, {
      conference: uri.replace(/;transport=.*$/, ''),
      client: aorUri(account),
      hostname: product.hostname,
    });
    const contact = contactOf(sip, account, `focus/${focus}`);
    this.#sendNotify({ account, address: by }, dialog, contact, headers, body);
  }

  #sendNotify(
    name: OwnerName,
    dialog: DialogFacts,
    contact: string,
    headers: readonly HeaderField[],
    body: Buffer,
  ): void {
    const { sip, product } = this.#parts;
    sip.request({
      owner: formatOwner(name),
      id: `notify-${dialog.localCseq}`,
      method: 'NOTIFY',
      uri: dialog.remoteTarget,
      from: `<${dialog.localUri}>`,
      to: `<${dialog.remoteUri}>`,
      route: dialog.routeSet,
      headers: [['Contact', contact], ['User-Agent', product.name], ...headers],
      body,
      dialog,
    });
  }
}

function ownerOf(account: AccountId, by: Address, { leg }: { readonly leg?: Leg }): Owner {
  return formatOwner(leg === undefined ? { account, address: by } : { account, address: by, leg });
}
