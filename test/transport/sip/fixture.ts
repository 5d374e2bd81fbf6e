/** An endpoint on loopback sockets with a clock that stands still, and a log that is kept. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { openSipPeer, RecordingHandler, requestOf } from '../../../src/testing/sip-peer.js';
import type { RequestSketch, SipPeer } from '../../../src/testing/sip-peer.js';
import { ManualClock } from '../../../src/testing/clock.js';
import type { Log, TraceEntry } from '../../../src/ports.js';
import type { SipMessage } from '../../../src/wire/sip/message.js';
import { systemRandom } from '../../../src/system.js';
import { createSipEndpoint, type SipEndpoint } from '../../../src/transport/sip/endpoint.js';
import type { SipEndpointOptions } from '../../../src/transport/sip/options.js';

export interface LogLine {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

export interface Opened {
  readonly endpoint: SipEndpoint;
  readonly clock: ManualClock;
  readonly lines: LogLine[];
  readonly traced: TraceEntry[];
}

/** Made, not started. */
export function openEndpoint(options: Partial<SipEndpointOptions> = {}): Opened {
  const clock = new ManualClock();
  const lines: LogLine[] = [];
  const traced: TraceEntry[] = [];
  const endpoint = createSipEndpoint({
    listeners: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    clock,
    random: systemRandom,
    log: keepingLog(lines),
    trace: { record: (entry) => traced.push(entry) },
    ...options,
  });
  return { endpoint, clock, lines, traced };
}

/** A started endpoint with a peer by that transport. */
export interface Scene extends Opened {
  readonly handler: RecordingHandler;
  readonly peer: SipPeer;
  send(sketch: RequestSketch): void;
  sendBytes(bytes: Buffer | string): void;
}

/** Runs a scene and cleans up after it. */
export async function withScene(
  transport: 'udp' | 'tcp',
  options: Partial<SipEndpointOptions>,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const opened = openEndpoint(options);
  const { endpoint } = opened;
  const handler = new RecordingHandler();
  await endpoint.start(handler);
  const peer = await openSipPeer(transport);
  const sendBytes = (bytes: Buffer | string): void => {
    const to = endpoint.addresses.find((one) => one.transport === transport)!;
    peer.send(to, Buffer.from(bytes as string));
  };
  const send = (sketch: RequestSketch): void => sendBytes(requestOf(peer, sketch));
  try {
    await play({ ...opened, handler, peer, send, sendBytes });
  } finally {
    await peer.close();
    await endpoint.stop(0);
  }
}

function keepingLog(lines: LogLine[]): Log {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: fields as Record<string, unknown>, message });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

let barriers = 0;

/**
 * Everything that reached the peer before the answer to an OPTIONS sent now. That the handler was
 * told of nothing but the OPTIONS is part of the check.
 */
export async function collect(scene: Scene): Promise<SipMessage[]> {
  const branch = `barrier${++barriers}`;
  scene.send({ method: 'OPTIONS', branch, callId: branch });
  const { received } = await scene.handler.next('request');
  expect(received.request.method).toBe('OPTIONS');
  scene.endpoint.respond(received.transaction, { status: 200, headers: [] });
  const messages: SipMessage[] = [];
  for (;;) {
    const { message } = await scene.peer.arrivals.next();
    if (message.header('Call-ID') === branch) return messages;
    messages.push(message);
  }
}

/** Start lines without version: `202 MESSAGE` for a response, the method for a request. */
export function brief(messages: readonly SipMessage[]): string[] {
  return messages.map((message) =>
    message.kind === 'request'
      ? message.method
      : `${message.status} ${message.header('CSeq')!.split(' ')[1]}`,
  );
}

/** What every request of ours to the peer shares. */
export function toPeer(peer: Pick<SipPeer, 'address' | 'port'>) {
  const uri = `sip:peer@${peer.address}:${peer.port}`;
  return { owner: 'o', id: 'q', uri, from: 'sip:us@example.org', to: uri, route: [], headers: [] };
}

/** A TCP client of the endpoint that reads as text. */
export async function dial(scene: Pick<Scene, 'endpoint'>): Promise<Socket> {
  const { port } = scene.endpoint.addresses.find(({ transport }) => transport === 'tcp')!;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

export async function textOf(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

/** A MESSAGE as text, with that Via and further header lines. */
export function message(via: string, extra = ''): string {
  return [
    'MESSAGE sip:bob@example.org SIP/2.0',
    `Via: ${via}`,
    'From: <sip:a@example.com>;tag=1',
    'To: <sip:bob@example.org>',
    'Call-ID: n1',
    'CSeq: 1 MESSAGE',
    `${extra}Content-Length: 0`,
    '\r\n',
  ].join('\r\n');
}

/** Waits, turn by turn of the event loop, for what a socket brings about. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
