/** The WebSocket listener of MSRP (RFC 7977), passive side. */

import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import { WebSocketServer, createWebSocketStream } from 'ws';
import type { WebSocket } from 'ws';
import type { Carrier, CarrierSocket } from './carrier.js';
import type { MsrpLimits } from './options.js';
import type { TlsIdentity } from './tls.js';

/** RFC 7977 4: the subprotocol. */
const subprotocol = 'msrp';
const badRequest = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';
/** How often Node looks for requests that take too long. */
const checkMs = 1_000;

/** A listener that hands on what its WebSockets carry. It is not secure without an identity. */
export function createWebSocketListener(
  identity: TlsIdentity | undefined,
  limits: MsrpLimits,
  accept: (carrier: Carrier) => void,
): HttpServer | HttpsServer {
  const { connectMs, headBytes, webSocketBytes } = limits;
  const http = {
    headersTimeout: connectMs,
    requestTimeout: connectMs,
    connectionsCheckingInterval: checkMs,
    maxHeaderSize: headBytes,
    keepAlive: false,
  };
  const server = identity
    ? createHttpsServer({ ...http, ...identity.serverOptions(connectMs) })
    : createHttpServer(http);
  if (identity) identity.keep(server as HttpsServer);
  // Nothing but MSRP is served here.
  server.on('request', (_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end();
  });
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: webSocketBytes,
    handleProtocols: () => subprotocol,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!offersMsrp(request)) {
      // Whoever keeps its own half open would keep it for ever: no timer of HTTP runs any more.
      socket.end(badRequest, () => socket.destroy());
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      accept(carrierOf(webSocket, request, identity));
    });
  });
  return server;
}

function offersMsrp({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim().toLowerCase() === subprotocol);
}

function carrierOf(
  webSocket: WebSocket,
  { socket: raw }: IncomingMessage,
  identity: TlsIdentity | undefined,
): Carrier {
  const { localAddress, localPort, remoteAddress, remotePort } = raw;
  const proof = identity && raw instanceof TLSSocket ? identity.proofOf(raw) : undefined;
  const stream = createWebSocketStream(webSocket);
  // There is no half-open WebSocket: after its end nothing can be written.
  stream.on('end', () => stream.destroy());
  const socket = Object.assign(stream, {
    ...{ localAddress, localPort, remoteAddress, remotePort },
    setNoDelay: raw.setNoDelay.bind(raw),
    setKeepAlive: raw.setKeepAlive.bind(raw),
    destroySoon: () => {
      stream.end(() => stream.destroy());
    },
  }) as unknown as CarrierSocket;
  return {
    socket,
    transport: identity ? 'wss' : 'ws',
    target: undefined,
    opens: undefined,
    framed: true,
    refusal: (expected) => identity && proof && identity.clientRefusal(proof, expected),
    ...(proof && { proof }),
  };
}
