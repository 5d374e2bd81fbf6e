/** The way of one request to its next hop: resolve, choose a transport, try one after the other. */

import type { Random } from '../../ports.js';
import type { SipResponse } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { SerialiseError } from '../../wire/sip/serialise.js';
import { attemptsTo, type Attempt } from './attempts.js';
import type { Flow } from './flow.js';
import { offeringKeep } from './keep.js';
import type { Network } from './network.js';
import type { SipSettings, SipTransport } from './options.js';
import { nextHopOf, type NextHop } from './next-hop.js';
import { invalidHost } from './invalid-host.js';
import { buildRequest, type RequestDraft } from './request.js';
import type { Target } from './resolve.js';

/** A request as it goes one way. */
export interface Departure {
  readonly bytes: Buffer;
  readonly via: string;
  readonly branch: string;
  readonly sentBy: string;
  readonly flow: Flow;
  readonly address: string;
  readonly port: number;
}

export class Dispatch {
  readonly draft: RequestDraft;
  readonly #settings: SipSettings;
  readonly #network: Network;
  #attempts: Attempt[] = [];
  #tried = 0;
  /** The host of the URI, which a certificate has to prove (RFC 5922 7.3). */
  #domain = '';

  constructor(draft: RequestDraft, settings: SipSettings, network: Network) {
    this.draft = draft;
    this.#settings = settings;
    this.#network = network;
  }

  /** Finds the ways, then calls `ready`: at once when nothing has to be looked up. */
  resolve(ready: () => void): void {
    const hop = nextHopOf(this.draft.nextHop);
    this.#domain = hop?.host ?? '';
    const found = hop ? this.#targetsOf(hop) : [];
    if (!(found instanceof Promise)) {
      this.#choose(found, ready);
      return;
    }
    let isOver = false;
    const once = (targets: readonly Target[]): void => {
      if (isOver) return;
      isOver = true;
      withdraw();
      this.#choose(targets, ready);
    };
    const { clock, timers } = this.#settings;
    const withdraw = clock.after(64 * timers.t1, () => once([]));
    // A look-up that fails is a next hop without addresses: the request fails for it.
    found.then(once, () => once([]));
  }

  /** The next way; undefined when every one has been tried. */
  next(): Departure | undefined {
    for (;;) {
      const attempt = this.#attempts[this.#tried++];
      if (!attempt) return undefined;
      if (this.#isPenalised(attempt)) continue;
      const { transport, address, port } = attempt;
      const flow = this.#network.flowTo(transport, address, port, this.#domain);
      const built = flow && this.#build(transport, address, flow.offersKeepAlive);
      if (built) return { ...built, flow, address, port };
    }
  }

  /**
   * The target that was tried last has failed as a whole: no other transport to it will do. False
   * when there is none left (RFC 3263 4.3).
   */
  leaveTarget(): boolean {
    const failed = this.#attempts[this.#tried - 1]?.target;
    while (this.#tried < this.#attempts.length) {
      if (this.#attempts[this.#tried]!.target !== failed) return true;
      this.#tried++;
    }
    return false;
  }

  /** The target has answered: a 503 may ask for a rest. */
  heard(response: SipResponse): void {
    const attempt = this.#attempts[this.#tried - 1];
    if (attempt) this.#settings.penalties.note(attempt, response);
  }

  /** What belongs to a dialog has no other place to go to. */
  #isPenalised(attempt: Attempt): boolean {
    return tagOf(this.draft.to) === undefined && this.#settings.penalties.has(attempt);
  }

  /** Who has a host in `.invalid` is reached by the connection on which it came (RFC 7118 5). */
  #targetsOf(hop: NextHop): readonly Target[] | Promise<readonly Target[]> {
    if (invalidHost(hop.host) === undefined) return this.#settings.resolve(hop);
    const transport = this.#network.aliased(hop.host)?.transport;
    const isFit = transport !== undefined && (!hop.secure || /^(?:tls|wss)$/.test(transport));
    return isFit ? [{ address: hop.host, port: hop.port ?? 5060, transport }] : [];
  }

  #choose(targets: readonly Target[], ready: () => void): void {
    const { limits } = this.#settings;
    const first = targets[0];
    this.#tried = 0;
    if (first) {
      const size = this.#build(first.transport ?? 'udp', first.address)?.bytes.length ?? 0;
      const isLarge = size > limits.datagramBytes;
      this.#attempts = attemptsTo(targets.slice(0, limits.targets), isLarge, this.#network);
    }
    ready();
  }

  /** Every way has a branch of its own (RFC 3263 4.3). */
  #build(
    transport: SipTransport,
    address: string,
    offersKeepAlive = false,
  ): Pick<Departure, 'bytes' | 'via' | 'branch' | 'sentBy'> | undefined {
    const branch = newBranch(this.#settings.random);
    const sentBy = this.#network.sentBy(transport, address);
    const plain = viaOf(transport, sentBy, branch);
    const via = offersKeepAlive ? offeringKeep(plain) : plain;
    try {
      return { bytes: buildRequest(this.draft, via), via, branch, sentBy };
    } catch (error) {
      if (!(error instanceof SerialiseError)) throw error;
      const fields = { code: error.code, method: this.draft.method };
      this.#settings.log.error(fields, 'request that cannot be sent');
      return undefined;
    }
  }
}

function newBranch(random: Random): string {
  return `z9hG4bK${random.token(16)}`;
}

/** With rport, so that answers come back through a NAT (RFC 3581 3). */
function viaOf(transport: SipTransport, sentBy: string, branch: string): string {
  const rport = transport === 'udp' ? ';rport' : '';
  return `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=${branch}${rport}`;
}
