/** A well-behaved user of a server under attack: it shows that the server still serves. */

import { expect } from 'vitest';
import { openSipPeer, requestOf, responseTo } from '../../src/testing/sip-peer.js';
import type { SipPeer } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { parseMessageSummary } from '../../src/wire/message-summary.js';
import { deferredHost } from './server.js';
import type { Place } from './server.js';

/** Of all users of this process: a port that is used again brings no call of the earlier one back. */
let calls = 0;

const asserted: HeaderField = ['P-Asserted-Identity', '<sip:tester@example.net>'];

export class User {
  readonly #peer: SipPeer;
  readonly #server: Place;

  constructor(peer: SipPeer, server: Place) {
    this.#peer = peer;
    this.#server = server;
  }

  static async at(server: Place): Promise<User> {
    return new User(await openSipPeer(server.transport), server);
  }

  close(): Promise<void> {
    return this.#peer.close();
  }

  /** The status of an OPTIONS to the server. */
  async options(): Promise<number> {
    const { status } = await this.#ask('OPTIONS', `sip:Deferred@${deferredHost}`, []);
    return status;
  }

  /** The status of a MESSAGE to `aor`. */
  async message(aor: string): Promise<number> {
    const headers: HeaderField[] = [
      asserted,
      ['Accept-Contact', '*;+g.oma.sip-im'],
      ['Content-Type', 'text/plain'],
    ];
    const { status } = await this.#ask('MESSAGE', aor, headers, Buffer.from('good'));
    return status;
  }

  /** How many messages wait for `aor`, asked by a SUBSCRIBE that ends at once. */
  async waiting(aor: string): Promise<number> {
    const headers: HeaderField[] = [
      ['P-Asserted-Identity', `<${aor}>`],
      ['Event', 'message-summary'],
      ['Accept', 'application/simple-message-summary'],
      ['Expires', '0'],
      ['Contact', `<sip:watcher@${this.#peer.address}:${this.#peer.port}>`],
    ];
    const accepted = await this.#ask('SUBSCRIBE', aor, headers);
    expect(accepted.status).toBe(200);
    const notify = await this.#notifyOf(accepted.header('Call-ID'));
    const { classes } = parseMessageSummary(notify.body);
    return classes.reduce((sum, counted) => sum + counted.new, 0);
  }

  async #ask(
    method: string,
    uri: string,
    headers: readonly HeaderField[],
    body?: Buffer,
  ): Promise<SipResponse> {
    const callId = `good-${++calls}-${this.#peer.port}`;
    const sketch = { method, branch: callId, callId, headers, ...(body && { body }) };
    const bytes = requestOf(this.#peer, sketch)
      .toString('latin1')
      .replaceAll('sip:bob@example.org', uri);
    this.#peer.send(this.#server, Buffer.from(bytes, 'latin1'));
    for (;;) {
      const response = await this.#response();
      if (response.header('Call-ID') === callId && response.status >= 200) return response;
    }
  }

  async #response(): Promise<SipResponse> {
    for (;;) {
      const { message, reply } = await this.#peer.arrivals.next();
      if (message.kind === 'response') return message;
      // A NOTIFY may overtake the answer to its SUBSCRIBE: it is kept for `#request`.
      reply(responseTo(message, 200));
      this.#early.push(message);
    }
  }

  readonly #early: SipRequest[] = [];

  async #notifyOf(callId: string | undefined): Promise<SipRequest> {
    for (;;) {
      const early = this.#early.shift();
      if (early?.method === 'NOTIFY' && early.header('Call-ID') === callId) return early;
      if (early) continue;
      const { message, reply } = await this.#peer.arrivals.next();
      if (message.kind !== 'request') continue;
      reply(responseTo(message, 200));
      this.#early.push(message);
    }
  }
}
