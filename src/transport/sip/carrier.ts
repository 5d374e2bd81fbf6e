/** What carries the octets of a connection: a TCP or TLS stream, or a WebSocket. */

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../ports.js';
import { SipStream, type SipStreamEvent } from '../../wire/sip/stream.js';
import type { SipSettings } from './options.js';

/** How messages stand in what comes in. */
export interface Framing {
  push(octets: Buffer): SipStreamEvent[];
  /** Octets held of a message that is not complete. */
  readonly pendingBytes: number;
}

export interface Carrier {
  readonly framing: Framing;
  /** `host:port` of our end. */
  readonly local: string;
  /** Octets that wait for the peer to take them. */
  readonly pendingBytes: number;
  /** Sends one message; `written` hears when it has left, or that it will not. */
  write(octets: Buffer, written?: (error?: Error | null) => void): void;
  /** What was written leaves first. */
  close(): void;
  destroy(): void;
}

/** A stream that is connected, framed by Content-Length. */
export function streamCarrier(
  socket: Socket,
  local: string,
  { limits, clock }: Pick<SipSettings, 'limits' | 'clock'>,
): Carrier {
  return {
    framing: new SipStream(limits),
    local,
    get pendingBytes() {
      return socket.writableLength;
    },
    write: (octets, written) => void socket.write(octets, written),
    close: () => closeSoon(socket, clock),
    destroy: () => void socket.destroy(),
  };
}

/** A peer that does not read cannot keep a socket open that we have closed. */
const lingerMs = 2_000;

/** Ends a stream once it has sent what was written, or after a while. */
export function closeSoon(socket: Duplex & { destroySoon?: () => void }, clock: Clock): void {
  socket.once(
    'close',
    clock.after(lingerMs, () => socket.destroy()),
  );
  if (socket.destroySoon) socket.destroySoon();
  else socket.end(() => socket.destroy());
}
