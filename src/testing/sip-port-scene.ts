/** The stage of a case of the SipPort contract: one adapter and one bare peer that talk. */

import { strict as assert } from 'node:assert';
import type { SipOutgoing, SipPort } from '../ports.js';
import { tagOf } from '../wire/sip/name-addr.js';
import {
  openSipPeer,
  RecordingHandler,
  requestOf,
  type RequestSketch,
  type SipPeer,
  type SipPlace,
} from './sip-peer.js';

/** An adapter under test. */
export interface SipPortUnderTest {
  readonly port: SipPort;
  /** Where it listens once started. */
  address(): SipPlace;
  /** Moves the time of the adapter on. T1 is 500 ms, T2 4 s. */
  advance(ms: number): void;
  /** Ends what the adapter was made with, once it is stopped. */
  close?(): Promise<void>;
}

/** Makes an adapter that listens on the loopback by that transport, not started. */
export type MakeSipPort = (
  transport: 'udp' | 'tcp',
) => SipPortUnderTest | Promise<SipPortUnderTest>;

export interface SipPortCase {
  readonly name: string;
  run(make: MakeSipPort): Promise<void>;
}

/** One adapter and one bare peer that talk to each other. */
export interface Scene {
  readonly port: SipPort;
  readonly peer: SipPeer;
  readonly handler: RecordingHandler;
  readonly sut: SipPortUnderTest;
  /** Sends a request of the peer. */
  tell(sketch: RequestSketch): void;
  /** A request of ours to the peer. */
  ask(parts: Partial<SipOutgoing> & { readonly method: string }): void;
  /** Answers the INVITE of the peer with 200; returns our tag. */
  establish(owner: string): Promise<string>;
}

/** The Contact of our side. */
export const contact = [['Contact', '<sip:us@127.0.0.1>']] as const;

/** A case over UDP. */
export function onUdp(name: string, play: (scene: Scene) => Promise<void>): SipPortCase {
  return caseOf('udp', name, play);
}

/** A case over each transport. */
export function onEach(name: string, play: (scene: Scene) => Promise<void>): SipPortCase[] {
  return (['udp', 'tcp'] as const).map((transport) => caseOf(transport, name, play));
}

function caseOf(
  transport: 'udp' | 'tcp',
  name: string,
  play: (scene: Scene) => Promise<void>,
): SipPortCase {
  return {
    name: `${name} (${transport})`,
    async run(make) {
      const sut = await make(transport);
      const handler = new RecordingHandler();
      await sut.port.start(handler);
      const peer = await openSipPeer(transport);
      try {
        await play(sceneOf(sut, peer, handler));
      } finally {
        await peer.close();
        await sut.port.stop(0);
        await sut.close?.();
      }
    },
  };
}

function sceneOf(sut: SipPortUnderTest, peer: SipPeer, handler: RecordingHandler): Scene {
  const { port } = sut;
  const tell = (sketch: RequestSketch): void => peer.send(sut.address(), requestOf(peer, sketch));
  return {
    port,
    peer,
    handler,
    sut,
    tell,
    ask(parts) {
      const uri = `sip:peer@${peer.address}:${peer.port};transport=${peer.transport}`;
      const from = 'sip:us@example.org';
      const fixed = { owner: 'o', id: 'q', uri, from, to: uri, route: [], headers: [] };
      port.request({ ...fixed, ...parts });
    },
    async establish(owner) {
      tell({ method: 'INVITE', branch: 'invite' });
      const { received } = await handler.next('request');
      assert.equal((await peer.nextResponse()).status, 100);
      port.respond(received.transaction, { status: 200, headers: contact, owner });
      const response = await peer.nextResponse();
      assert.equal(response.status, 200);
      return tagOf(response.header('To'))!;
    },
  };
}
