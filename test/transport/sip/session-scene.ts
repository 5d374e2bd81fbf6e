/** INVITE dialogs in both directions, with session descriptions, for tests of sessions. */

import { expect } from 'vitest';
import { responseTo, type SipArrival } from '../../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest, SipResponse } from '../../../src/wire/sip/message.js';
import { tagOf } from '../../../src/wire/sip/name-addr.js';
import { toPeer, type Scene } from './fixture.js';

export const contact = ['Contact', '<sip:us@127.0.0.1>'] as const;
export const sdp = Buffer.from('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n');
export const described = [contact, ['Content-Type', 'application/sdp']] as const;
export const withTimer = ['Supported', 'path, timer'] as const;

interface Accepted {
  readonly answer: SipResponse;
  readonly toTag: string;
}

/** The peer invites us, and we accept. */
export async function invited(scene: Scene, headers: readonly HeaderField[]): Promise<Accepted> {
  scene.send({ method: 'INVITE', branch: 'i', headers });
  const { received } = await scene.handler.next('request');
  expect((await scene.peer.nextResponse()).status).toBe(100);
  const answer = { status: 200, headers: described, body: sdp, owner: 'o' };
  scene.endpoint.respond(received.transaction, answer);
  const accepted = await scene.peer.nextResponse();
  const toTag = tagOf(accepted.header('To'))!;
  scene.send({ method: 'ACK', branch: 'ack', toTag });
  await scene.handler.next('acknowledged');
  return { answer: accepted, toTag };
}

/** We invite the peer, which accepts with those fields. */
export async function inviting(scene: Scene, headers: readonly HeaderField[]): Promise<SipRequest> {
  const { arrival, invite } = await sentInvite(scene);
  arrival.reply(
    responseTo(invite, 200, { tag: 'peer', headers: [peerContact(scene), ...headers] }),
  );
  expect((await scene.handler.next('response')).response.status).toBe(200);
  expect((await scene.peer.nextRequest()).method).toBe('ACK');
  return invite;
}

export async function sentInvite(
  scene: Scene,
): Promise<{ arrival: SipArrival; invite: SipRequest }> {
  const request = { ...toPeer(scene.peer), method: 'INVITE', headers: described, body: sdp };
  scene.endpoint.request(request);
  const arrival = await scene.peer.arrivals.next();
  return { arrival, invite: arrival.message as SipRequest };
}

export function peerContact({ peer }: Scene): HeaderField {
  return ['Contact', `<sip:peer@127.0.0.1:${peer.port}>`];
}

/** The next request of ours and a way to answer it. */
export async function asked(scene: Scene): Promise<{
  readonly request: SipRequest;
  answer(status: number, headers?: readonly HeaderField[]): void;
}> {
  const arrival = await scene.peer.arrivals.next();
  const request = arrival.message as SipRequest;
  expect(request.kind).toBe('request');
  return {
    request,
    answer: (status, headers = []) => arrival.reply(responseTo(request, status, { headers })),
  };
}

/** Whether our sessions are watched: a dialog that was ended is in no table. */
export const dialogs = (scene: Scene): number => scene.endpoint.counters()['dialogs']!;
