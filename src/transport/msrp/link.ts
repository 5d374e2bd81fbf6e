/** MSRP sockets that another process holds: what passes between it and an endpoint without its own. */

import type { Peer } from '../../ports.js';
import type { MsrpAddress } from './options.js';
import type { PeerProof } from './tls.js';

/** Kinds of records. Each begins with the number of its stream. */
export const msrpRecord = {
  /** To the endpoint: a connection has its first frame for it. What follows is a `LinkedPeer`. */
  opened: 1,
  /** Octets of the connection: from the front whole frames one after the other, and back. */
  octets: 2,
  /** The octets that were taken in, so that as many may follow. */
  credit: 3,
  /** There is no such stream any more. From the endpoint: 1 when everything has been sent before. */
  closed: 4,
  /** To the front: no session uses it. Octets that have come, modulo 2^32; it may be closed. */
  idle: 5,
  /** To the endpoint: somebody else waits for its open chunk to end. */
  awaited: 6,
} as const;

/** Where the sockets are that an endpoint has not itself. */
export interface MsrpAddresses {
  readonly plain: MsrpAddress;
  readonly secure?: MsrpAddress;
  readonly webSocket?: MsrpAddress;
}

/** A connection as the other process sees it. */
export interface LinkedPeer {
  readonly transport: Peer['transport'];
  readonly framed: boolean;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly proof: PeerProof | undefined;
}

/** Sends one record. False: the other process is gone, or has too much to take in already. */
export type SendRecord = (kind: number, stream: number, ...parts: readonly Buffer[]) => boolean;

/** The way of an endpoint to the process with the sockets. */
export interface MsrpLink {
  readonly addresses: MsrpAddresses;
  /** Octets that a stream may bring before they are taken in. */
  readonly windowOctets: number;
  /** Octets of all streams that wait here. */
  readonly heldOctets: number;
  readonly send: SendRecord;
  open(receive: (kind: number, record: Buffer) => void): void;
}

/** A record without its kind. */
export function encodeRecord(stream: number, parts: readonly Buffer[]): readonly Buffer[] {
  return [numberOctets(stream), ...parts];
}

export function numberOctets(number: number): Buffer {
  const octets = Buffer.allocUnsafe(4);
  octets.writeUInt32LE(number >>> 0, 0);
  return octets;
}

export function encodePeer(peer: LinkedPeer): Buffer {
  const { proof, ...rest } = peer;
  const certificate = proof?.certificate?.toString('base64');
  return Buffer.from(
    JSON.stringify({ ...rest, ...(proof && { proof: { ...proof, certificate } }) }),
  );
}

export function decodePeer(octets: Buffer): LinkedPeer {
  const peer = JSON.parse(octets.toString()) as LinkedPeer;
  const { proof } = peer;
  if (proof === undefined) return { ...peer, proof };
  const certificate = proof.certificate as unknown as string | undefined;
  const raw = certificate === undefined ? undefined : Buffer.from(certificate, 'base64');
  return { ...peer, proof: { ...proof, certificate: raw } };
}
