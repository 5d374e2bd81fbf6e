/** A drachtio port before a stand-in of the server, with a clock that stands still. */

import Srf from 'drachtio-srf';
import type { Log, SipOutgoing } from '../../../src/ports.js';
import { systemRandom } from '../../../src/system.js';
import { ManualClock } from '../../../src/testing/clock.js';
import {
  openSipPeer,
  RecordingHandler,
  requestOf,
  type RequestSketch,
  type SipPeer,
} from '../../../src/testing/sip-peer.js';
import {
  createDrachtioPort,
  type DrachtioLimits,
  type DrachtioOptions,
  type DrachtioPort,
} from '../../../src/transport/drachtio.js';
import { secret, StandIn } from './stand-in.js';

export interface Opened {
  readonly port: DrachtioPort;
  readonly server: StandIn;
  readonly clock: ManualClock;
  /** Codes that were logged. */
  readonly codes: string[];
}

/** The server runs, the port is made and not started. */
export async function openDrachtio(
  transport: 'udp' | 'tcp',
  limits: Partial<DrachtioLimits> = {},
  options: Partial<DrachtioOptions> = {},
): Promise<Opened> {
  const clock = new ManualClock();
  const server = new StandIn(transport, clock);
  await server.start();
  const codes: string[] = [];
  const keep = (fields: object): void => {
    if ('code' in fields) codes.push(String(fields.code));
  };
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
  const port = createDrachtioPort({
    createSrf: () => new Srf(),
    connection: { host: '127.0.0.1', port: server.control.port, secret },
    clock,
    random: systemRandom,
    log,
    // Time moves on while a confirmation is on its way.
    limits: { commandMs: 3_600_000, ...limits },
    ...options,
  });
  return { port, server, clock, codes };
}

export interface Scene extends Opened {
  readonly handler: RecordingHandler;
  readonly peer: SipPeer;
  tell(sketch: RequestSketch): void;
  ask(parts: Partial<SipOutgoing> & { readonly method: string }): void;
}

/** Runs a started port with a bare peer, and cleans up after it. */
export async function withScene(
  limits: Partial<DrachtioLimits>,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const opened = await openDrachtio('udp', limits);
  const { port, server } = opened;
  const handler = new RecordingHandler();
  const peer = await openSipPeer('udp');
  try {
    await port.start(handler);
    await play({
      ...opened,
      handler,
      peer,
      tell: (sketch) => peer.send(server.address, requestOf(peer, sketch)),
      ask(parts) {
        const uri = `sip:peer@${peer.address}:${peer.port}`;
        const from = 'sip:us@example.org';
        port.request({ owner: 'o', id: 'q', uri, from, to: uri, route: [], headers: [], ...parts });
      },
    });
  } finally {
    await port.stop(0);
    await peer.close();
    await server.stop();
  }
}

/** Waits, turn by turn of the event loop, for what a socket brings about. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

/** The Contact of our side. */
export const contact = [['Contact', '<sip:us@127.0.0.1>']] as const;

/** A dialog that the peer has opened and acknowledged. */
export async function dialogOf(scene: Scene, owner: string): Promise<void> {
  const { tell, handler, port, peer } = scene;
  tell({ method: 'INVITE', branch: owner, callId: owner });
  const { received } = await handler.next('request');
  await peer.nextResponse();
  port.respond(received.transaction, { status: 200, headers: contact, owner });
  const response = await peer.nextResponse();
  const [, toTag] = /;tag=(.*)$/.exec(response.header('To')!)!;
  tell({ method: 'ACK', branch: `${owner}-ack`, callId: owner, toTag: toTag! });
  await handler.next('acknowledged');
}
