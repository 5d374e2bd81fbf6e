/** Flows between a real server and real peers over real sockets, as a tap between them sees them. */

import { once } from 'node:events';
import { setImmediate as immediate } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ImClient, ImClientOptions } from '../../../src/client/im-client.js';
import { ManualClock } from '../../../src/testing/clock.js';
import { openSipPeer, type SipPeer } from '../../../src/testing/sip-peer.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { sceneAt, settled, type WireScene } from '../../e2e/sip-scene.js';
import { startWorld, type World } from '../../e2e/world.js';
import { RawHttp, type RawResponse } from '../../transport/xcap/raw-http.js';
import { Tap } from './tap.js';

export interface Stage extends WireScene {
  /** A question of bob to the embedded XDMS, about a document below its root; what is answered. */
  readonly xcap: (method: string, path: string, body?: string) => Promise<RawResponse>;
  readonly world: World;
  readonly peer: SipPeer;
  readonly clock: ManualClock;
  readonly tap: Tap;
  /** A client on the same clock. */
  client(user: string, options?: Partial<ImClientOptions>): Promise<ImClient>;
  /** Waits until so much was seen. */
  until(seen: (messages: readonly string[]) => boolean): Promise<void>;
  /** Time goes on, and whatever comes of that happens. */
  pass(seconds: number): Promise<void>;
}

/** Until a server would have done whatever it still had to do. */
const afterwards = 300;

/** What is seen of a play, ended by an OPTIONS some minutes later. */
export async function recorded(
  play: (stage: Stage) => Promise<void>,
  limits: Parameters<typeof startWorld>[0] = {},
  more: Parameters<typeof startWorld>[2] = {},
): Promise<readonly Observed[]> {
  const clock = new ManualClock();
  const tap = new Tap(() => clock.now());
  const world = await startWorld(limits, 'udp', { xcap: { port: 0 }, ...more }, { clock });
  const peer = await openSipPeer('udp');
  const stranger = await openSipPeer('udp');
  const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
  const scene = sceneAt(peer, port);
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1_000);
      await immediate();
    }
    await settled(world, clock);
  };
  const until: Stage['until'] = async (seen) => {
    const deadline = Date.now() + 60_000;
    while (!seen(tap.messages.map(({ bytes }) => firstLine(bytes)))) {
      if (Date.now() > deadline) {
        expect.fail(tap.messages.map(({ bytes }) => firstLine(bytes)).join('\n'));
      }
      await immediate();
    }
  };
  const connections: RawHttp[] = [];
  const xcap: Stage['xcap'] = async (method, path, body = '') => {
    if (connections.length === 0) {
      connections.push(new RawHttp(world.server.xcap!.port));
      await once(connections[0]!.socket, 'connect');
    }
    connections[0]!.write(
      [
        ...[`${method} /xcap/${path} HTTP/1.1`, 'Host: xdms'],
        'X-3GPP-Asserted-Identity: "sip:bob@example.org"',
        ...(body === '' ? [] : [`Content-Type: ${typeOf(path)}`]),
        ...[`Content-Length: ${Buffer.byteLength(body)}`, '', body],
      ].join('\r\n'),
    );
    return connections[0]!.response(method);
  };
  const client: Stage['client'] = (user, options) => world.client(user, { clock, ...options });
  try {
    await play({ ...scene, world, peer, clock, tap, client, until, pass, xcap });
    await pass(afterwards);
    const options = { method: 'OPTIONS', uri: 'sip:Deferred@store.example.org' };
    // From elsewhere: whatever else comes to the peer of the play is none of its answer.
    expect((await sceneAt(stranger, port).ask(options)).status).toBe(200);
    tap.end();
    return tap.messages;
  } finally {
    tap.end();
    for (const connection of connections) connection.end();
    await peer.close();
    await stranger.close();
    await world.end();
  }
}

function typeOf(path: string): string {
  if (path.includes('@active')) return 'application/xcap-att+xml';
  if (path.includes('~~')) return 'application/xcap-el+xml';
  return 'application/im-settings+xml';
}

export function firstLine(bytes: Buffer): string {
  return bytes.subarray(0, Math.max(0, bytes.indexOf('\r\n'))).toString('latin1');
}
