/** An endpoint on loopback sockets with a clock that stands still, and a log that is kept. */

import { openSipPeer, RecordingHandler, requestOf } from '../../../src/testing/sip-peer.js';
import type { RequestSketch, SipPeer } from '../../../src/testing/sip-peer.js';
import { ManualClock } from '../../../src/testing/clock.js';
import type { Log, TraceEntry } from '../../../src/ports.js';
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
