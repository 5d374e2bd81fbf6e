/** The way of one request to its next hop: resolve, choose a transport, try one after the other. */

import type { Random } from '../../ports.js';
import { SerialiseError } from '../../wire/sip/serialise.js';
import { attemptsTo, type Attempt } from './attempts.js';
import type { Flow } from './flow.js';
import type { Network } from './network.js';
import type { SipSettings, SipTransport } from './options.js';
import { buildRequest, nextHopOf, type RequestDraft } from './request.js';
import type { Target } from './resolve.js';

/** A request as it goes one way. */
export interface Departure {
  readonly bytes: Buffer;
  readonly via: string;
  readonly branch: string;
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

  constructor(draft: RequestDraft, settings: SipSettings, network: Network) {
    this.draft = draft;
    this.#settings = settings;
    this.#network = network;
  }

  /** Finds the ways, then calls `ready`: at once when nothing has to be looked up. */
  resolve(ready: () => void): void {
    const hop = nextHopOf(this.draft.nextHop);
    const found = hop ? this.#settings.resolve(hop) : [];
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
      const { transport, address, port } = attempt;
      const built = this.#build(transport, address);
      const flow = built && this.#network.flowTo(transport, address, port);
      if (flow) return { ...built, flow, address, port };
    }
  }

  #choose(targets: readonly Target[], ready: () => void): void {
    const first = targets[0];
    this.#tried = 0;
    if (first) {
      const size = this.#build(first.transport ?? 'udp', first.address)?.bytes.length ?? 0;
      const isLarge = size > this.#settings.limits.datagramBytes;
      this.#attempts = attemptsTo(targets, isLarge, this.#network);
    }
    ready();
  }

  /** Every way has a branch of its own (RFC 3263 4.3). */
  #build(
    transport: SipTransport,
    address: string,
  ): Pick<Departure, 'bytes' | 'via' | 'branch'> | undefined {
    const branch = newBranch(this.#settings.random);
    const via = viaOf(transport, this.#network.sentBy(transport, address), branch);
    try {
      return { bytes: buildRequest(this.draft, via), via, branch };
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
