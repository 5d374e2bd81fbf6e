/** The connections of an endpoint whose sockets are in another process. */

import type { Carrier } from './carrier.js';
import type { HeldOctets } from './held-octets.js';
import { decodePeer, msrpRecord } from './link.js';
import type { LinkedPeer, MsrpLink } from './link.js';
import { LinkedSocket } from './linked-socket.js';
import type { TlsIdentity } from './tls.js';

export class LinkedConnections {
  readonly #link: MsrpLink;
  readonly #identity: TlsIdentity | undefined;
  readonly #accept: (carrier: Carrier) => void;
  readonly #sockets = new Map<number, LinkedSocket>();
  readonly #held: HeldOctets;
  #isStopped = false;

  constructor(
    { link, held }: { readonly link: MsrpLink; readonly held: HeldOctets },
    identity: TlsIdentity | undefined,
    accept: (carrier: Carrier) => void,
  ) {
    this.#link = link;
    this.#identity = identity;
    this.#accept = accept;
    this.#held = held;
    link.open((kind, record) => this.#receive(kind, record));
  }

  /** Accepts no further connection. */
  stop(): void {
    this.#isStopped = true;
  }

  #receive(kind: number, record: Buffer): void {
    const number = record.readUInt32LE(0);
    if (kind === msrpRecord.opened) {
      this.#open(number, decodePeer(record.subarray(4)));
      return;
    }
    // Unknown: what this side has closed before it heard of that.
    const socket = this.#sockets.get(number);
    if (!socket) return;
    if (kind === msrpRecord.octets) socket.arrived(record.subarray(4));
    else if (kind === msrpRecord.credit) socket.credited(record.readUInt32LE(4));
    else if (kind === msrpRecord.awaited) socket.emit('awaited');
    else socket.hungUp();
  }

  #open(number: number, peer: LinkedPeer): void {
    const { windowOctets, send } = this.#link;
    if (this.#isStopped) {
      send(msrpRecord.closed, number, Buffer.from([1]));
      return;
    }
    const gone = (): void => {
      this.#sockets.delete(number);
    };
    const socket = new LinkedSocket({
      ...{ number, peer, windowOctets, send, gone },
      held: this.#held,
    });
    this.#sockets.set(number, socket);
    const { transport, framed, proof } = peer;
    const identity = proof && this.#identity;
    this.#accept({
      ...{ socket, transport, framed },
      ...{ target: undefined, opens: undefined },
      refusal: (expected) => identity && proof && identity.clientRefusal(proof, expected),
      leave: () => socket.leave(),
    });
  }
}
