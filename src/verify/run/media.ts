/** The MSRP sessions of the tester: what comes in whole, and large messages that go out. */

import { openMessage } from '../../client/encapsulation.js';
import type { Content, MsrpHandler, MsrpIncoming, MsrpRemote, MsrpSink } from '../../ports.js';
import { atMost, pending } from './at-most.js';
import { createMsrpEndpoint, type MsrpEndpoint } from '../../transport/msrp/endpoint.js';
import type { MsrpEndpointOptions } from '../../transport/msrp/options.js';
import type { SeenSend } from './seen.js';

/** Octets of messages that nobody has answered yet; what comes beyond is refused. */
const heldBytesMax = 8_388_608;
const incomingMessages = 8;
const connections = 64;
const chunkBytes = 65_536;

export type MediaTold =
  SeenSend | { readonly kind: 'lost'; readonly session: string; readonly cause: string };

/** What became of a message that was sent. */
export interface SentMessage {
  /** Of the last SEND; undefined: no answer, or no connection. */
  readonly status: number | undefined;
  /** Of the REPORT. */
  readonly reported: number | undefined;
}

export interface Outgoing {
  readonly session: string;
  readonly messageId: string;
  readonly contentType: string;
  readonly content: Content;
  readonly withinMs: number;
}

interface Waiting {
  sent(status: number | undefined): void;
  reported(status: number | undefined): void;
}

export class TesterMedia {
  readonly #options: Omit<MsrpEndpointOptions, 'port' | 'limits'>;
  readonly #tell: (told: MediaTold) => void;
  readonly #waiting = new Map<string, Waiting>();
  #endpoint: MsrpEndpoint;
  #heldBytes = 0;
  /** Where the next large message that comes in is broken off. */
  #break: { readonly at: number; done(): void } | undefined;

  constructor(
    options: Omit<MsrpEndpointOptions, 'port' | 'limits'>,
    tell: (told: MediaTold) => void,
  ) {
    this.#options = options;
    this.#tell = tell;
    this.#endpoint = this.#create();
  }

  start(): Promise<void> {
    return this.#endpoint.start(this.#handler());
  }

  stop(): Promise<void> {
    return this.#endpoint.stop(0);
  }

  /** Opens a session and returns its path. */
  reserve(session: string): string {
    return this.#endpoint.reserve(session);
  }

  connect(session: string, remote: MsrpRemote): void {
    this.#endpoint.connect(session, remote);
  }

  release(session: string): void {
    this.#endpoint.release(session);
    for (const [key, waiting] of this.#waiting) if (key.startsWith(`${session} `)) end(waiting);
  }

  /** Every connection breaks; other ones can be opened. */
  async disconnect(): Promise<void> {
    await this.#endpoint.stop(0);
    for (const waiting of this.#waiting.values()) end(waiting);
    this.#heldBytes = 0;
    this.#endpoint = this.#create();
    await this.start();
  }

  /** Sends it, and hears of its answer and its REPORT. */
  async send({ withinMs, ...message }: Outgoing): Promise<SentMessage> {
    const key = `${message.session} ${message.messageId}`;
    const { promise: sent, resolve: settle } = pending<number | undefined>();
    const { promise: reported, resolve: report } = pending<number | undefined>();
    this.#waiting.set(key, { sent: settle, reported: report });
    const { session: owner } = message;
    this.#endpoint.send({ ...message, owner, headers: [], successReport: true });
    const status = await atMost(sent, withinMs);
    const answer = {
      status,
      reported: status === 200 ? await atMost(reported, withinMs) : undefined,
    };
    this.#waiting.delete(key);
    return answer;
  }

  /** Breaks every connection when so many octets of a message have come. */
  brokenAt(octets: number): Promise<unknown> {
    const { promise, resolve } = pending<undefined>();
    this.#break = { at: octets, done: () => void this.disconnect().then(() => resolve(undefined)) };
    return promise;
  }

  #breakOff(octets: number): void {
    if (this.#break === undefined || octets < this.#break.at) return;
    const { done } = this.#break;
    this.#break = undefined;
    done();
  }

  #create(): MsrpEndpoint {
    const limits = { messageBytes: heldBytesMax, incomingMessages, connections };
    return createMsrpEndpoint({ ...this.#options, port: 0, limits });
  }

  #handler(): MsrpHandler {
    const waiting = (session: string, id: string) => this.#waiting.get(`${session} ${id}`);
    return {
      connected: () => undefined,
      lost: (session, cause) => {
        for (const [key, one] of this.#waiting) if (key.startsWith(`${session} `)) end(one);
        this.#tell({ kind: 'lost', session, cause });
      },
      sent: (session, id, status) => waiting(session, id)?.sent(status),
      reported: (session, id, status) => waiting(session, id)?.reported(status),
      receive: (session, incoming) => this.#receive(session, incoming),
    };
  }

  #receive(session: string, incoming: MsrpIncoming): MsrpSink | number {
    if (this.#heldBytes + (incoming.total ?? 0) > heldBytesMax) return 413;
    let payload = Buffer.alloc(0);
    const letGo = (): void => {
      this.#heldBytes = Math.max(0, this.#heldBytes - payload.length);
      payload = Buffer.alloc(0);
    };
    return {
      write: (offset, bytes) => {
        const end = offset + bytes.length;
        if (end > payload.length) {
          const grown = Buffer.alloc(Math.max(end, incoming.total ?? 0, end + chunkBytes));
          payload.copy(grown);
          this.#heldBytes += grown.length - payload.length;
          payload = grown;
        }
        bytes.copy(payload, offset);
        this.#breakOff(end);
        return this.#heldBytes > heldBytesMax + chunkBytes ? 413 : undefined;
      },
      complete: (total) =>
        new Promise((settle) => {
          const whole = payload.subarray(0, total);
          const { messageId, contentType, headers } = incoming;
          const message = openMessage({ messageId, contentType, headers, payload: whole }, false);
          const answer = (status: number): void => {
            letGo();
            settle(status);
          };
          const described = { session, messageId, headers, contentType, message };
          this.#tell({ kind: 'send', ...described, settle: answer });
        }),
      abort: letGo,
    };
  }
}

function end(waiting: Waiting): void {
  waiting.sent(undefined);
  waiting.reported(undefined);
}
