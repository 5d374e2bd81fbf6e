/** A client and a scripted peer on loopback, for one test. */

import { afterEach, beforeEach } from 'vitest';
import { createImClient, type ImClient, type ImClientOptions } from '../../src/client/connect.js';
import { ScriptedPeer } from './scripted-peer.js';

export interface Stage {
  peer: ScriptedPeer;
  /** A started client of Bob whose server is the peer. */
  client(options?: Partial<ImClientOptions>): Promise<ImClient>;
  /** Where Bob is reached. */
  contactOf(client: ImClient): string;
}

export function useStage(): Stage {
  const clients: ImClient[] = [];
  const stage = {
    contactOf: (client: ImClient) => `sip:bob@127.0.0.1:${client.address.port}`,
    async client(options: Partial<ImClientOptions> = {}) {
      const client = createImClient({
        aor: 'sip:bob@example.org',
        server: stage.peer.server(),
        identity: 'asserted',
        ...options,
        limits: { graceMs: 100, ...options.limits },
      });
      clients.push(client);
      await client.start();
      return client;
    },
  } as Stage;
  beforeEach(async () => {
    stage.peer = await new ScriptedPeer().start();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.stop({ unregister: false })));
    await stage.peer.stop();
  });
  return stage;
}
