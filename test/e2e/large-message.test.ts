/** Large message mode over real sockets: in by INVITE and MSRP. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { generated, LargePeer } from './large-peer.js';
import { startWorld, type World } from './world.js';

let world: World;
const peers: LargePeer[] = [];

async function peer(user: string): Promise<LargePeer> {
  const { port } = world.server.sip.find(({ transport }) => transport === 'tcp')!;
  const opened = await LargePeer.open(user, { sipPort: port });
  peers.push(opened);
  return opened;
}

beforeEach(async () => {
  world = await startWorld();
});

afterEach(async () => {
  for (const one of peers.splice(0)) await one.close();
  await world.end();
});

test('S1-STORE-LM: a message in many SENDs is stored, then its last SEND is answered and reported', async () => {
  const nia = await peer('nia');
  const { response, owner, bye } = await nia.inviteToSend('tomas');
  expect(response.status).toBe(200);
  const sdp = response.body.toString();
  expect(sdp).toContain('a=recvonly\r\na=setup:passive\r\na=accept-types:*\r\n');
  expect(sdp).toContain('a=accept-wrapped-types:*\r\na=max-size:1000000000\r\n');
  await nia.next('connected');
  nia.send(owner, 'm4Pq77sA', generated(300_000));
  expect(await nia.next('sent')).toMatchObject({ messageId: 'm4Pq77sA', status: 200 });
  expect(await nia.next('reported')).toMatchObject({ messageId: 'm4Pq77sA', status: 200 });
  expect(await bye()).toBe(200);
  expect(world.server.counters()['actors.uploads']).toBe(0);
});
