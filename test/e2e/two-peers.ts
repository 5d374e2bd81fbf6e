/** A server on loopback between two bare peers over UDP: who sends, and the client of who is sent to. */

import type { SipPeer } from '../../src/testing/sip-peer.js';
import { startWorld, type World } from './world.js';
import { openPeer } from './unrepeated-peer.js';

export const bob = 'sip:bob@example.org';

export async function withTwoPeers(
  play: (world: World, sender: SipPeer, client: SipPeer) => Promise<void>,
  ...settings: Parameters<typeof startWorld>
): Promise<void> {
  const world = await startWorld(...settings);
  const sender = await openPeer(settings[3]);
  const client = await openPeer(settings[3]);
  try {
    await play(world, sender, client);
  } finally {
    await sender.close();
    await client.close();
    await world.end();
  }
}

/** Where the peers of that world send to. */
export function udpServerOf(world: World) {
  const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
  return { transport: 'udp', address: '127.0.0.1', port } as const;
}
