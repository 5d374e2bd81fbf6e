/** A server among strangers: for tests of who is believed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createImClient } from '../../src/client/connect.js';
import type { ImClient, ImClientOptions } from '../../src/client/im-client.js';
import { settingsOf } from '../../src/config.js';
import type { SettingsInput } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import type { Server } from '../../src/server.js';
import type { SipPeer, SipPlace } from '../../src/testing/sip-peer.js';
import { parseChallenge } from '../../src/wire/sip/digest.js';
import type { HeaderField, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { authorization } from '../actors/authentication-world.js';
import { freePort } from '../loopback-port.js';
import { shardProgram, shards } from './world.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

export const hostname = 'store.example.org';
export const credentials = {
  'sip:alice@example.org': { password: 'wonderland' },
  'sip:bob@example.org': { password: 'zanzibar' },
};
export const bobs = { password: 'zanzibar' };

/** A real server on loopback that trusts nobody, with real clients. */
export class World {
  readonly #directory = mkdtempSync(join(tmpdir(), 'poste-identity-'));
  readonly #identity: SettingsInput['identity'];
  readonly #clients: ImClient[] = [];
  readonly #peers: SipPeer[] = [];
  #server: Server | undefined;
  #ports: readonly [number, number] | undefined;

  constructor(identity: SettingsInput['identity'] = {}) {
    this.#identity = identity;
  }

  async start(): Promise<this> {
    // Its own also while it is down between two lives.
    const [sip, msrp] = (this.#ports ??= [await freePort(), await freePort()]);
    this.#server = await startServer(
      settingsOf({
        sip: {
          listen: [
            { transport: 'udp', port: sip },
            { transport: 'tcp', port: sip },
          ],
        },
        msrp: { port: msrp },
        store: { directory: join(this.#directory, 'store') },
        // Loopback is as strange as any other address.
        identity: { hostname, domains: ['example.org'], trustedPeers: [], ...this.#identity },
        cluster: { shards },
        log: { level: 'silent' },
      }),
      { shardProgram },
    );
    return this;
  }

  /** Stops the server and starts it again on the same store and ports. */
  async restart(): Promise<void> {
    await this.#server?.stop(0);
    await this.start();
  }

  counters(): Readonly<Record<string, number>> {
    return this.#server!.counters();
  }

  counted(): Promise<Readonly<Record<string, number>>> {
    return this.#server!.counted();
  }

  place(transport: 'udp' | 'tcp' = 'udp'): SipPlace {
    return { transport, address: '127.0.0.1', port: this.#ports![0] };
  }

  /** A started client of `user@example.org`. */
  async client(
    user: string,
    {
      transport = 'udp',
      ...options
    }: Partial<ImClientOptions> & { transport?: 'udp' | 'tcp' } = {},
  ): Promise<ImClient> {
    const { port } = this.place(transport);
    const client = createImClient({
      aor: `sip:${user}@example.org`,
      server: { host: '127.0.0.1', port, transport },
      deferredUri: `sip:Deferred@${hostname}`,
      ...options,
    });
    this.#clients.push(client);
    await client.start();
    return client;
  }

  async peer(): Promise<Stranger> {
    const peer = await openUnrepeatedPeer();
    this.#peers.push(peer);
    return new Stranger(peer, this.place());
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
    await Promise.all(this.#peers.map((peer) => peer.close()));
    await this.#server?.stop(0);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export interface Sketch {
  readonly method: string;
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly headers?: readonly HeaderField[];
  /** Call-ID, From tag and CSeq, to send the same request again. */
  readonly same?: number;
}

/** Somebody who writes his requests himself. */
export class Stranger {
  readonly #peer: SipPeer;
  readonly #server: SipPlace;
  #sent = 0;

  constructor(peer: SipPeer, server: SipPlace) {
    this.#peer = peer;
    this.#server = server;
  }

  async ask(sketch: Sketch): Promise<SipResponse> {
    this.send(sketch);
    for (;;) {
      const response = await this.#peer.nextResponse();
      if (response.status >= 200) return response;
    }
  }

  send(sketch: Sketch): void {
    const { method, uri = 'sip:bob@example.org', from = 'sip:bob@example.org' } = sketch;
    const branch = `z9hG4bKid${++this.#sent}`;
    const number = sketch.same ?? this.#sent;
    const at = `127.0.0.1:${this.#peer.port}`;
    const headers: HeaderField[] = [
      ['Via', `SIP/2.0/UDP ${at};branch=${branch}`],
      ['Max-Forwards', '70'],
      ['From', `<${from}>;tag=t${number}`],
      ['To', `<${sketch.to ?? uri}>`],
      ['Call-ID', `call-${number}`],
      ['CSeq', `${number} ${method}`],
      ['Contact', `<sip:bob@${at}>`],
      ...(sketch.headers ?? []),
    ];
    this.#peer.send(this.#server, serialiseRequest({ method, uri, headers, body: undefined }));
  }

  /** Asks, answers the challenge as bob, and asks again. */
  async prove(sketch: Sketch, password = bobs.password): Promise<SipResponse> {
    const [challenge] = challenges(await this.ask(sketch));
    const { method, uri = 'sip:bob@example.org' } = sketch;
    const field = authorization(challenge!, { username: 'bob', password, method, uri });
    return this.ask({ ...sketch, headers: [...(sketch.headers ?? []), field] });
  }
}

/** The challenges of a 401. */
export function challenges(response: SipResponse) {
  expect(response.status).toBe(401);
  return response.fields('WWW-Authenticate').map((value) => parseChallenge(value)!);
}
