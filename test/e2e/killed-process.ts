/** The built server as a process that is killed, and a bare peer that answers whatever it asks. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SettingsInput } from '../../src/config.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { SipPeer } from '../../src/testing/sip-peer.js';
import type { SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { startServerProcess } from '../server-process.js';
import { sceneAt, type Sketch, type WireScene } from './sip-scene.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

export interface KilledProcess {
  readonly scene: WireScene;
  /** `kill -9`, and another one on the same store and ports. */
  kill(): Promise<void>;
}

/** Plays before a server of these settings, over UDP. */
export async function withProcess(
  settings: SettingsInput,
  play: (killed: KilledProcess) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'poste-killed-'));
  const config = join(root, 'poste.yaml');
  const identity = { hostname: 'store.example.org', domains: ['example.org'] };
  writeFileSync(config, JSON.stringify({ identity, log: { level: 'error' }, ...settings }));
  const base = { directory: join(root, 'store'), args: ['--config', config] };
  let server = await startServerProcess(base);
  const { sipPort, msrpPort } = server;
  const peer = await openUnrepeatedPeer();
  try {
    await play({
      scene: sceneAt(peer, sipPort),
      async kill() {
        await server.end('SIGKILL');
        server = await startServerProcess({ ...base, sipPort, msrpPort });
      },
    });
  } finally {
    await peer.close();
    await server.end('SIGTERM');
    rmSync(root, { recursive: true, force: true });
  }
}

/** Answers every request of the server 200 and keeps it, whatever else is going on. */
export class Answering {
  readonly requests: SipRequest[] = [];
  readonly #peer: SipPeer;
  readonly #send: WireScene['send'];
  readonly #waiting = new Map<string, (response: SipResponse) => void>();
  #wake: (() => void)[] = [];
  #serial = 0;

  constructor({ peer, send }: WireScene) {
    this.#peer = peer;
    this.#send = send;
    void this.#pump();
  }

  /** Resolves with the final response, if ever one comes. */
  ask(sketch: Sketch): Promise<SipResponse> {
    const callId = `answering-${++this.#serial}`;
    const response = new Promise<SipResponse>((resolve) => this.#waiting.set(callId, resolve));
    this.#send({ ...sketch, callId });
    return response;
  }

  /** Resolves when the requests so far are so. */
  async until(condition: (requests: readonly SipRequest[]) => boolean): Promise<void> {
    while (!condition(this.requests)) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async #pump(): Promise<void> {
    for (;;) {
      const { message, reply } = await this.#peer.arrivals.next();
      if (message.kind === 'response') {
        if (message.status < 200) continue;
        const callId = message.header('Call-ID')!;
        this.#waiting.get(callId)?.(message);
        this.#waiting.delete(callId);
        continue;
      }
      reply(responseTo(message, 200, { tag: 'peer' }));
      this.requests.push(message);
      for (const resolve of this.#wake.splice(0)) resolve();
    }
  }
}
