/** SIP at the front of several shards: what comes in goes to its shard, what leaves comes from one. */

import { frameKind } from '../cluster/frame.js';
import type { ShardProcess } from '../cluster/shard-process.js';
import type { SipHandler } from '../ports.js';
import { decodeArrival, decodeDeparture, encodeArrival } from '../transport/sip/link-codec.js';
import type { SipDiverter } from '../transport/sip/link.js';
import type { SipEndpoint } from '../transport/sip/endpoint.js';
import type { SipRoute } from './sip-route.js';
import type { SipMessage } from '../wire/sip/message.js';

type Flow = NonNullable<ReturnType<SipEndpoint['flowTo']>>;

/** Seconds after which a shard that is gone may be back. */
const retryAfter = '2';

const noNames: readonly string[] = [];

export class SipFront implements SipDiverter {
  /** Set before anything comes in. */
  endpoint!: SipEndpoint;
  /** Messages whose shard was not there, or too slow. */
  refused = 0;
  /** What no shard takes is answered here. */
  readonly handler: SipHandler;
  readonly #route: SipRoute;
  readonly #processOf: (shard: number) => ShardProcess | undefined;
  readonly #numbers = new Map<Flow, number>();
  readonly #flows = new Map<number, Flow>();
  #last = 0;

  /** The sockets of UDP come first, as every shard counts them. */
  started(): void {
    for (const flow of this.endpoint.datagrams) this.#numberOf(flow);
  }

  constructor(route: SipRoute, processOf: (shard: number) => ShardProcess | undefined) {
    this.#route = route;
    this.#processOf = processOf;
    this.handler = {
      request: ({ transaction }) => {
        const headers = [['Retry-After', retryAfter]] as const;
        this.endpoint.respond(transaction, { status: 503, headers });
      },
      response: () => undefined,
      failure: () => undefined,
      cancelled: () => undefined,
      acknowledged: () => undefined,
      unacknowledged: () => undefined,
    };
  }

  octets(bytes: Buffer, flow: Flow, address: string, port: number): boolean {
    const shard = this.#route.shardOfOctets(bytes);
    if (shard === undefined) return false;
    const { transport, names = noNames } = flow;
    const arrival = { flow: this.#numberOf(flow), transport, address, port, names, bytes };
    return this.#processOf(shard)?.offer(frameKind.arrival, encodeArrival(arrival)) === true;
  }

  message(message: SipMessage, flow: Flow, address: string, port: number): boolean {
    const { transport, names = noNames } = flow;
    const peer = { transport, address, port, names };
    const shard = this.#route.shardOf(message, peer);
    if (shard === undefined) return false;
    const arrival = { flow: this.#numberOf(flow), ...peer, bytes: message.bytes };
    if (this.#processOf(shard)?.offer(frameKind.arrival, encodeArrival(arrival)) === true) {
      return true;
    }
    this.refused++;
    return false;
  }

  /** A shard has read a datagram by the socket that it has to send by. */
  strayed(octets: Buffer): void {
    const { flow, address, port, bytes } = decodeArrival(octets);
    this.endpoint.datagrams[flow - 1]?.receive(bytes, address, port);
  }

  closed(flow: Flow): void {
    const number = this.#numbers.get(flow);
    if (number === undefined) return;
    this.#numbers.delete(flow);
    this.#flows.delete(number);
    const octets = Buffer.allocUnsafe(4);
    octets.writeUInt32LE(number, 0);
    for (let shard = 0; ; shard++) {
      const process = this.#processOf(shard);
      if (!process) return;
      process.tell(frameKind.closed, [octets]);
    }
  }

  /** A shard wants that to leave. */
  departed(shard: number, octets: Buffer): void {
    const { flow: number, id, transport, address, port, domain, bytes } = decodeDeparture(octets);
    const known = number === 0 ? undefined : this.#flows.get(number);
    const flow = known?.isOpen
      ? known
      : this.endpoint.flowTo(transport, address, port, domain === '' ? undefined : domain);
    const failed = id === 0 ? undefined : () => this.#failed(shard, id);
    if (flow) flow.send(bytes, address, port, failed);
    else failed?.();
  }

  #failed(shard: number, id: number): void {
    const octets = Buffer.allocUnsafe(4);
    octets.writeUInt32LE(id, 0);
    this.#processOf(shard)?.tell(frameKind.failed, [octets]);
  }

  #numberOf(flow: Flow): number {
    const known = this.#numbers.get(flow);
    if (known !== undefined) return known;
    this.#last = this.#last >= 0xffff_fffe ? 1 : this.#last + 1;
    this.#numbers.set(flow, this.#last);
    this.#flows.set(this.#last, flow);
    return this.#last;
  }
}
