/** The SDP of the client: it receives, or sends one large message (D-15, D-65, SDP-06). */

import type { MsrpPeerFacts } from '../machines/client/events.js';
import { WireError } from '../wire/error.js';
import { answer, msrpMedia, offer, parseSdp, type MsrpSdpFacts, type Sdp } from '../wire/sdp.js';
import type { SipMessage } from '../wire/sip/message.js';
import { parseContentType } from '../wire/sip/content-type.js';
import type { ClientWorld } from './world.js';

export const sdpType = 'application/sdp';

/** Everything the server may encapsulate a message in, best first. */
export const defaultAcceptTypes: readonly string[] = [
  'message/sipfrag',
  'message/sip',
  'multipart/mixed',
  'message/msrp',
  'message/cpim',
  '*',
];

function session(world: ClientWorld, path: string, setup: 'active' | 'passive' | 'actpass') {
  const { limits, options } = world;
  return {
    sessionId: world.clock.now(),
    sessionVersion: 1,
    path: [path],
    direction: 'recvonly' as const,
    setup,
    acceptTypes: options.acceptTypes ?? defaultAcceptTypes,
    acceptWrappedTypes: ['*'],
    maxSize: options.spool === undefined ? limits.messageBytes : limits.spooledBytes,
  };
}

/** SDP-05: a client that can be reached leaves the choice to the server. */
export function recvonlyOffer(world: ClientWorld, path: string): Buffer {
  return offer(session(world, path, isActive(world) ? 'active' : 'actpass'));
}

/** What is accepted has no meaning where nothing comes in; the attribute is mandatory all the same. */
export function sendonlyOffer(world: ClientWorld, path: string): Buffer {
  const setup = isActive(world) ? 'active' : 'actpass';
  const { sessionId, sessionVersion } = session(world, path, setup);
  const direction = 'sendonly';
  const acceptTypes = ['message/cpim'];
  return offer({ sessionId, sessionVersion, path: [path], direction, setup, acceptTypes });
}

export function recvonlyAnswer(world: ClientWorld, path: string, sdp: Sdp, active: boolean) {
  return answer({ ...session(world, path, active ? 'active' : 'passive'), offer: sdp });
}

/** The server's end as the answer to our offer tells; undefined when it does not serve. */
export function answeredPeer(world: ClientWorld, message: SipMessage): MsrpPeerFacts | undefined {
  const media = mediaOf(sdpOf(message));
  return media && peerOf(world, media);
}

/** The same where the server is to receive. */
export function receivingPeer(
  world: ClientWorld,
  message: SipMessage,
): (MsrpPeerFacts & { readonly maxSize?: number }) | undefined {
  const sdp = sdpOf(message);
  const media = sdp && msrpMedia(sdp);
  if (media?.direction !== 'recvonly' && media?.direction !== 'sendrecv') return undefined;
  const peer = peerOf(world, media);
  const { maxSize } = media;
  return peer && { ...peer, ...(maxSize !== undefined && { maxSize }) };
}

/** RFC 6135 4.2, SDP-05: holdconn says nothing, as in `offeredPeer`. */
function peerOf(world: ClientWorld, media: MsrpSdpFacts): MsrpPeerFacts | undefined {
  // RFC 4975 5.4: whoever has offered connects, unless the answer says otherwise.
  const active = media.setup !== 'active';
  return active || !isActive(world) ? { path: media.path, active } : undefined;
}

/** The server's end as its offer tells; undefined when it does not serve. */
export function offeredPeer(world: ClientWorld, sdp: Sdp | undefined): MsrpPeerFacts | undefined {
  const media = mediaOf(sdp);
  if (!media) return undefined;
  const mustWait = media.setup !== 'passive' && media.setup !== 'actpass';
  const active = isActive(world) ? true : media.setup === 'passive';
  return active && mustWait ? undefined : { path: media.path, active };
}

/** The SDP body of a message; undefined when there is none that can be read. */
export function sdpOf(message: SipMessage): Sdp | undefined {
  const type = message.header('Content-Type');
  try {
    if (type === undefined || parseContentType(type).type !== sdpType) return undefined;
    return parseSdp(message.body);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** A line on which messages come to us. */
function mediaOf(sdp: Sdp | undefined): MsrpSdpFacts | undefined {
  const media = sdp && msrpMedia(sdp);
  return media?.direction === 'sendonly' || media?.direction === 'sendrecv' ? media : undefined;
}

function isActive(world: ClientWorld): boolean {
  return world.options.msrpRole !== 'passive';
}
