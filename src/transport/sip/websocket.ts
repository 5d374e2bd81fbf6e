/** SIP over WebSocket (RFC 7118): the server's side of the handshake and of the frames. */

import { isUtf8 } from 'node:buffer';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { WireError } from '../../wire/error.js';
import type { SipLimits } from '../../wire/sip/limits.js';
import { parseSip, salvageRequest } from '../../wire/sip/parse.js';
import type { SipStreamEvent } from '../../wire/sip/stream.js';
import { closeSoon, type Carrier, type Framing } from './carrier.js';
import type { SipSettings } from './options.js';

/** RFC 7118 4.1. */
const subprotocol = 'sip';
/** Octets of a handshake. */
const headBytesMax = 16_384;
/** RFC 6455 7.4.1: we are going away. */
const goingAway = 1001;

/** Takes streams by its event `connection`, never listens; tells of each that became a WebSocket. */
export function createWebSocketServer(
  limits: SipLimits,
  opened: (socket: Duplex, webSocket: WebSocket) => void,
): Server {
  const server = createServer({ maxHeaderSize: headBytesMax });
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.headerBytes + limits.bodyBytes,
    handleProtocols: () => subprotocol,
  });
  // Nothing but SIP is served here.
  server.on('request', (_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end();
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('upgrade', (request, socket, head) => {
    if (offersSip(request)) {
      webSockets.handleUpgrade(request, socket, head, (webSocket) => opened(socket, webSocket));
    } else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  return server;
}

function offersSip({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim().toLowerCase() === subprotocol);
}

/** A WebSocket that is open: one message in each of its messages (5.2). */
export function webSocketCarrier(
  webSocket: WebSocket,
  socket: Duplex,
  local: string,
  { limits, clock }: Pick<SipSettings, 'limits' | 'clock'>,
): Carrier {
  return {
    framing: new MessageFraming(limits),
    local,
    get pendingBytes() {
      return webSocket.bufferedAmount;
    },
    // A text message has to be UTF-8 throughout; a body need not be.
    write: (octets, written) => {
      webSocket.send(octets, { binary: !isUtf8(octets) }, (error) => written?.(error));
    },
    close() {
      webSocket.close(goingAway);
      closeSoon(socket, clock);
    },
    destroy: () => webSocket.terminate(),
  };
}

/** Each WebSocket message is a SIP message or a keep-alive (RFC 5626 4.4.1 by way of 7118 6). */
class MessageFraming implements Framing {
  readonly pendingBytes = 0;
  readonly #limits: SipLimits;

  constructor(limits: SipLimits) {
    this.#limits = limits;
  }

  push(octets: Buffer): SipStreamEvent[] {
    if (octets.length <= 4) {
      const text = octets.toString('latin1');
      if (text === '\r\n\r\n') return [{ kind: 'ping' }];
      if (text === '\r\n') return [{ kind: 'pong' }];
    }
    try {
      return [{ kind: 'message', message: parseSip(octets, this.#limits) }];
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const salvaged = salvageRequest(octets);
      return [{ kind: 'error', error, salvaged, fatal: false }];
    }
  }
}
