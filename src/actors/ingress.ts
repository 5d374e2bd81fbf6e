/** Ingress: what transports hand over becomes an event for an actor, with facts checked once. */

import type { AccountEvent, Address } from '../machines/events.js';
import type { Owner, SipHandler, SipReceived, TransactionId } from '../ports.js';
import { WireError } from '../wire/error.js';
import type { HeaderField, SipResponse } from '../wire/sip/message.js';
import { parseSdp } from '../wire/sdp.js';
import { tagOf } from '../wire/sip/name-addr.js';
import type { Courier } from './courier.js';
import { identify } from './identity.js';
import type { Identified } from './identity.js';
import { receiveSubscribeInside } from './ingress-conference.js';
import { receiveRefer } from './ingress-deletion.js';
import { isForwardId } from './egress-forward.js';
import {
  failBridged,
  isLeg,
  loseLeg,
  receiveBridged,
  receiveInsideBridge,
} from './ingress-bridge.js';
import { receiveForwarded } from './ingress-forward.js';
import { receiveInvite, receiveReinvite, receiveUpdate } from './ingress-invite.js';
import { receiveMessage } from './ingress-message.js';
import {
  allowedAt,
  allowedInside,
  receiveOptions,
  receiveOptionsInside,
} from './ingress-options.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { receivePublish } from './ingress-publish.js';
import { receiveRegister } from './ingress-register.js';
import { receiveSubscribe } from './ingress-subscribe.js';
import { answeredMedia } from './media-facts.js';
import type { MediaUse } from './media-facts.js';
import { parseOwner } from './owner.js';
import type { OwnerName } from './owner.js';
import { acceptedTypes } from './product.js';
import { keptFields } from './recording-headers.js';
import { UnsupportedBody } from './request-body.js';
import { storeCode } from './store-code.js';

/** Octets kept of the header fields of a BYE. */
const byeBytes = 4_096;

export class SipIngress implements SipHandler {
  readonly #parts: IngressParts;
  readonly #courier: Courier;
  /** One for all requests, some of which go on later. */
  readonly #proceed = (known: Identified): void => {
    try {
      this.#route(known);
    } catch (error) {
      this.#failed(known, error);
    }
  };

  constructor(parts: IngressParts, courier: Courier) {
    this.#parts = parts;
    this.#courier = courier;
  }

  request(received: SipReceived): void {
    this.#parts.counters['actors.requests']++;
    try {
      this.#receive(received);
    } catch (error) {
      this.#failed(received, error);
    }
  }

  #receive(received: SipReceived): void {
    if (this.#isRegistrationTold(received)) return;
    // DLG-02: the dialog is not known; a subscription may know it.
    if (isStray(received)) refuse(this.#parts, received, 481);
    else if (this.#parts.isDraining() && begins(received)) this.#putOff(received);
    else identify(this.#parts, received, this.#proceed);
  }

  #isRegistrationTold(received: SipReceived): boolean {
    const { registrations } = this.#parts;
    if (!registrations || !this.#parts.isTrusted(received.peer)) return false;
    return registrations.notified(received);
  }

  /** Another node takes it, or this one later. */
  #putOff(received: SipReceived): void {
    const headers: HeaderField[] = [['Retry-After', String(this.#parts.bounds.retryAfter)]];
    refuse(this.#parts, received, 503, { headers });
  }

  /** Whatever goes wrong with a request is answered. */
  #failed(received: SipReceived, error: unknown): void {
    const { counters, log } = this.#parts;
    if (error instanceof WireError) {
      counters['actors.requests.malformed']++;
      this.#refuseMalformed(received, error);
      return;
    }
    const code = storeCode(error);
    if (code !== undefined) {
      log.warn({ code, method: received.request.method }, 'accounts cannot be looked up');
      this.#putOff(received);
      return;
    }
    // A mistake of ours costs this request, never the node.
    log.error({ err: error, method: received.request.method }, 'request failed');
    refuse(this.#parts, received, 500);
  }

  response(owner: Owner, id: string, response: SipResponse): void {
    if (this.#courier.settle(owner, id, response.status)) return;
    if (this.#parts.registrations?.answered(owner, id, response) === true) return;
    const name = parseOwner(owner);
    if (isLeg(name)) {
      receiveBridged(this.#parts, name, id, response);
      return;
    }
    const at = this.#parts.clock.now();
    const { limits } = this.#parts;
    const { status } = response;
    if (isForwardId(id)) {
      receiveForwarded(this.#parts, owner, response);
    } else if (id === 'invite') {
      const answer = status < 300 ? answerOf(response, this.#parts.media) : undefined;
      const event = { type: 'invite.answered', at, status, limits } as const;
      this.#tell(owner, answer ? { ...event, answer } : event);
    } else if (id === 'bye') {
      this.#tell(owner, { type: 'bye.answered', at, limits });
    } else if (id.startsWith('notify-')) {
      this.#tell(owner, { type: 'notify.answered', at, status, limits });
    }
  }

  failure(owner: Owner, id: string, cause: 'timeout' | 'transport'): void {
    if (this.#courier.settle(owner, id, cause === 'timeout' ? 408 : 503)) return;
    if (this.#parts.registrations?.failed(owner, id, cause) === true) return;
    const name = parseOwner(owner);
    if (isLeg(name)) {
      failBridged(this.#parts, name, id);
      return;
    }
    const at = this.#parts.clock.now();
    const { limits } = this.#parts;
    if (isForwardId(id)) this.#tell(owner, { type: 'forward.failed', at, limits });
    else if (id === 'invite') this.#tell(owner, { type: 'invite.failed', at, limits });
    else if (id === 'bye') this.#tell(owner, { type: 'bye.answered', at, limits });
    else if (id.startsWith('notify-')) this.#tell(owner, { type: 'notify.failed', at, limits });
  }

  /** The adapter has answered both; a focus that is about to accept has to know. */
  cancelled(transaction: TransactionId): void {
    this.#parts.counters['actors.cancelled']++;
    this.#parts.cancel(transaction);
  }

  acknowledged(owner: Owner): void {
    // A bridge has nothing to wait for.
    if (isLeg(parseOwner(owner))) return;
    const { clock, limits } = this.#parts;
    this.#tell(owner, { type: 'ack.received', at: clock.now(), limits });
  }

  unacknowledged(owner: Owner): void {
    const { clock, limits } = this.#parts;
    const name = parseOwner(owner);
    if (isLeg(name)) loseLeg(this.#parts, name);
    else this.#tell(owner, { type: 'ack.missing', at: clock.now(), limits });
  }

  /** ST-02: the client is not there any more, so that its media session is lost too. */
  expired(owner: Owner): void {
    const { clock, limits } = this.#parts;
    const name = parseOwner(owner);
    if (isLeg(name)) loseLeg(this.#parts, name);
    else this.#tell(owner, { type: 'msrp.lost', at: clock.now(), limits });
  }

  // ------------------------------------------------------------------------------ routing

  #route(received: Identified): void {
    if (received.owner === undefined) this.#outside(received);
    else this.#inside(received, parseOwner(received.owner));
  }

  #outside(received: Identified): void {
    const { request } = received;
    switch (request.method) {
      case 'MESSAGE':
        receiveMessage(this.#parts, received);
        return;
      case 'REGISTER':
        receiveRegister(this.#parts, received);
        return;
      case 'SUBSCRIBE':
        receiveSubscribe(this.#parts, received);
        return;
      case 'INVITE':
        receiveInvite(this.#parts, received);
        return;
      case 'REFER':
        receiveRefer(this.#parts, received);
        return;
      case 'PUBLISH':
        receivePublish(this.#parts, received);
        return;
      case 'OPTIONS':
        receiveOptions(this.#parts, received);
        return;
      case 'BYE':
      case 'NOTIFY':
      case 'UPDATE':
        refuse(this.#parts, received, 481);
        return;
      default:
        refuse(this.#parts, received, 405, {
          headers: [['Allow', allowedAt(this.#parts, received)]],
        });
    }
  }

  #inside(received: Identified, owner: OwnerName): void {
    const { request, transaction } = received;
    const { clock, limits } = this.#parts;
    if (isLeg(owner) && receiveInsideBridge(this.#parts, received, owner)) return;
    switch (request.method) {
      case 'INVITE':
        receiveReinvite(this.#parts, received, owner);
        return;
      case 'UPDATE':
        receiveUpdate(this.#parts, received, owner);
        return;
      case 'BYE':
        if (requiresUnsupported(this.#parts, received, ['timer'])) return;
        this.#submit(owner, {
          type: 'bye.received',
          at: clock.now(),
          transaction,
          // D-14: the BYE of a large message belongs to what is stored of it.
          ...(owner.address.startsWith('recording/') && {
            fields: keptFields(request.all(), byeBytes),
          }),
          limits,
        });
        return;
      case 'OPTIONS':
        receiveOptionsInside(this.#parts, received, owner);
        return;
      case 'SUBSCRIBE':
        receiveSubscribeInside(this.#parts, received, owner);
        return;
      default:
        refuse(this.#parts, received, 405, { headers: [['Allow', allowedInside(owner)]] });
    }
  }

  #refuseMalformed(received: SipReceived, error: WireError): void {
    this.#parts.log.info({ code: error.code, hint: error.hint }, 'malformed request');
    const headers: HeaderField[] = [];
    if (error instanceof UnsupportedBody) {
      headers.push(['Accept', acceptedTypes], ['Accept-Encoding', 'identity']);
    }
    const warning = `${error.code}: ${error.hint}`;
    refuse(this.#parts, received, error.status, { warning, headers });
  }

  // ------------------------------------------------------------------------------- telling

  #tell(owner: Owner, event: AccountEvent): void {
    this.#submit(parseOwner(owner), event);
  }

  #submit({ account, address }: OwnerName, event: AccountEvent): void {
    this.#parts.submit(account, { kind: 'event', to: address as Address, event });
  }
}

function isStray({ request, owner }: SipReceived): boolean {
  if (owner !== undefined || request.method === 'SUBSCRIBE') return false;
  return tagOf(request.header('to')) !== undefined;
}

/** A 2xx whose SDP cannot be used has none: the actor ends such a session. */
function answerOf(response: SipResponse, use: MediaUse): ReturnType<typeof answeredMedia> {
  try {
    return response.body.length === 0 ? undefined : answeredMedia(parseSdp(response.body), use);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Whether it stands outside every dialog. */
function begins({ owner, request }: SipReceived): boolean {
  return owner === undefined && tagOf(request.header('to')) === undefined;
}
