/** Senders of pager messages, who hear reports and message waiting: bare SIP, no retransmission. */

import { randomUUID } from 'node:crypto';
import { openSipPeer, responseTo } from '../../src/testing/sip-peer.js';
import type { SipArrival, SipPeer } from '../../src/testing/sip-peer.js';
import { parseCpim } from '../../src/wire/cpim.js';
import { parseImdn } from '../../src/wire/imdn.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import type { Entry, Ledger } from './ledger.js';
import { octetsOf } from './ledger.js';

/** Timer F: whoever has heard nothing for so long gives up (RFC 3261 17.1.2.2). */
const timerFms = 32_000;

interface Pending {
  readonly bytes: Buffer;
  readonly begunAt: number;
  readonly entry: Entry | undefined;
  settle(response: SipResponse | undefined): void;
}

export class Sender {
  readonly #ledger: Ledger;
  readonly #peer: SipPeer;
  readonly #port: number;
  readonly #pending = new Map<string, Pending>();
  /** Cut off by a fault; they may be sent again as they were. */
  readonly unanswered: Pending[] = [];
  /** In its Call-IDs: a port may be that of an earlier sender, whose messages the server knows. */
  readonly #name = randomUUID().slice(0, 8);
  #next = 1;

  private constructor(ledger: Ledger, peer: SipPeer, port: number) {
    this.#ledger = ledger;
    this.#peer = peer;
    this.#port = port;
    void this.#listen();
  }

  static async open(ledger: Ledger, transport: 'udp' | 'tcp', port: number): Promise<Sender> {
    return new Sender(ledger, await openSipPeer(transport), port);
  }

  /** Who wrote it, reachable at the peer's own socket. */
  get address(): string {
    return `sip:nia@127.0.0.1:${this.#peer.port}`;
  }

  /** Resolves with the final response; undefined when the server is gone. */
  message(entry: Entry): Promise<SipResponse | undefined> {
    const headers: HeaderField[] = [];
    if (entry.expiresAt !== undefined) headers.push(['Expires', '1']);
    const body = entry.wantsReports ? this.#asking(entry) : octetsOf(entry);
    const type = entry.wantsReports ? 'message/cpim' : 'application/octet-stream';
    headers.push(['Content-Type', type]);
    return this.ask(`sip:${entry.user}@example.org`, { method: 'MESSAGE', headers, body }, entry);
  }

  ask(
    uri: string,
    more: { readonly method: string; headers?: readonly HeaderField[]; body?: Buffer },
    entry?: Entry,
    identity = '<sip:nia@example.org>',
  ): Promise<SipResponse | undefined> {
    const { method, headers = [], body } = more;
    const id = `${this.#name}-${this.#next++}`;
    const transport = this.#peer.transport.toUpperCase();
    const from = entry ? this.address : identity.slice(1, -1);
    const fields: HeaderField[] = [
      ['Via', `SIP/2.0/${transport} 127.0.0.1:${this.#peer.port};branch=z9hG4bK${id}`],
      ['Max-Forwards', '70'],
      ['From', `<${from}>;tag=n`],
      ['To', `<${uri}>`],
      ['Call-ID', id],
      ['CSeq', `1 ${method}`],
      ['P-Asserted-Identity', identity],
      ...headers,
    ];
    const bytes = serialiseRequest({ method, uri, headers: fields, body });
    return this.#write(id, bytes, entry);
  }

  /** The same octets, as a client sends them that has heard nothing. */
  repeat({ bytes, entry, begunAt }: Pending): Promise<SipResponse | undefined> {
    if (Date.now() - begunAt > timerFms) return Promise.resolve(undefined);
    const id = /^Call-ID: (.*)\r$/m.exec(bytes.toString('latin1'))![1]!;
    this.#ledger.tally.resent++;
    return this.#write(id, bytes, entry, begunAt);
  }

  contact(user: string): HeaderField {
    return ['Contact', `<sip:${user}@127.0.0.1:${this.#peer.port}>;+g.oma.sip-im`];
  }

  /** The server is gone: nobody will answer. */
  cutOff(): void {
    for (const pending of this.#pending.values()) {
      if (pending.entry) this.unanswered.push(pending);
      pending.settle(undefined);
    }
    this.#pending.clear();
  }

  close(): Promise<void> {
    return this.#peer.close();
  }

  #write(
    id: string,
    bytes: Buffer,
    entry: Entry | undefined,
    begunAt = Date.now(),
  ): Promise<SipResponse | undefined> {
    const { transport } = this.#peer;
    return new Promise((settle) => {
      this.#pending.set(id, { bytes, begunAt, entry, settle });
      this.#peer.send({ transport, address: '127.0.0.1', port: this.#port }, bytes);
    });
  }

  #asking(entry: Entry): Buffer {
    const head = [
      `From: <${this.address}>`,
      `To: <sip:${entry.user}@example.org>`,
      'DateTime: 2026-11-20T09:00:00Z',
      'NS: imdn <urn:ietf:params:imdn>',
      `imdn.Message-ID: m${entry.number}`,
      'imdn.Disposition-Notification: processing, negative-delivery',
      '',
      'Content-Type: application/octet-stream',
      '',
      '',
    ].join('\r\n');
    return Buffer.concat([Buffer.from(head), octetsOf(entry)]);
  }

  async #listen(): Promise<void> {
    for (;;) {
      const { message, reply } = await this.#peer.arrivals.next();
      if (message.kind === 'request') this.#request(message, reply);
      else if (message.status >= 200) this.#response(message);
    }
  }

  #response(response: SipResponse): void {
    const id = response.header('Call-ID')!;
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    const { entry } = pending;
    if (entry && response.status === 202) this.#ledger.acknowledge(entry);
    else if (entry) this.#ledger.tally.refused++;
    pending.settle(response);
  }

  #request(request: SipRequest, reply: SipArrival['reply']): void {
    reply(responseTo(request, 200, { tag: 'n' }));
    const callId = request.header('Call-ID')!;
    if (request.method === 'NOTIFY') {
      const cseq = Number.parseInt(request.header('CSeq')!, 10);
      this.#ledger.notify(callId, cseq, request.body.toString());
      return;
    }
    if (request.method !== 'MESSAGE') return;
    const { messageId, status } = parseImdn(parseCpim(request.body).body);
    this.#ledger.report(Number(messageId.slice(1)), status, callId);
  }
}
