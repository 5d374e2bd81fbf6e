/** Listeners of MSRP: each connection that may be there is handed on as its carrier. */

import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Log, SocketsPort } from '../../ports.js';
import type { Admission } from './admission.js';
import { acceptedTcp } from './carrier.js';
import type { Carrier } from './carrier.js';
import { MsrpError } from './options.js';
import type { MsrpAddress, MsrpLimits } from './options.js';
import type { TlsIdentity } from './tls.js';

interface AcceptorSettings {
  readonly limits: MsrpLimits;
  readonly log: Log;
  readonly sockets?: SocketsPort | undefined;
}

export class Acceptor {
  readonly #settings: AcceptorSettings;
  readonly #admission: Admission;
  readonly #accept: (carrier: Carrier) => void;
  readonly #servers: Server[] = [];

  constructor(
    settings: AcceptorSettings,
    admission: Admission,
    accept: (carrier: Carrier) => void,
  ) {
    this.#settings = settings;
    this.#admission = admission;
    this.#accept = accept;
  }

  /** Listens for `msrp`. */
  listen(host: string, port: number): Promise<MsrpAddress> {
    const server = this.#settings.sockets?.server() ?? createServer();
    server.on('connection', (socket) => {
      if (this.#admission.admit(socket)) this.#accept(acceptedTcp(socket));
    });
    return this.#listen(server, host, port);
  }

  /** Listens for `msrps`. */
  listenSecure(identity: TlsIdentity, host: string, port: number): Promise<MsrpAddress> {
    const { connectMs } = this.#settings.limits;
    const server = createTlsServer(identity.serverOptions(connectMs), (socket) => {
      this.#accept(identity.accepted(socket));
    });
    identity.keep(server);
    server.on('connection', (socket: Socket) => this.#admission.admit(socket));
    server.on('tlsClientError', (error, socket) => {
      const reason = (error as NodeJS.ErrnoException).code ?? error.name;
      this.#settings.log.debug({ code: 'MSRP_TLS', reason }, 'MSRP handshake failed');
      socket.destroy();
    });
    return this.#listen(server, host, port);
  }

  /** Listens for MSRP over WebSocket, secure with an identity. */
  async listenWebSocket(
    identity: TlsIdentity | undefined,
    host: string,
    port: number,
  ): Promise<MsrpAddress> {
    const { limits } = this.#settings;
    // Who has no such listener does not wait for what it is made of.
    const { createWebSocketListener } = await import('./websocket.js');
    const server = createWebSocketListener(identity, limits, (carrier) => this.#accept(carrier));
    server.on('connection', (socket: Socket) => this.#admission.admit(socket));
    return this.#listen(server, host, port);
  }

  /** Accepts no further connection; resolves when those that are open are closed too. */
  async stop(): Promise<void> {
    const open = this.#servers.filter((server) => server.listening);
    await Promise.all(
      open.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }

  #listen(server: Server, host: string, port: number): Promise<MsrpAddress> {
    let isListening = false;
    return new Promise((resolve, reject) => {
      server.on('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code ?? error.name;
        if (!isListening) reject(new MsrpError('MSRP_LISTEN', `cannot listen: ${reason}`));
        // Out of descriptors, for instance: those that are open go on.
        else this.#settings.log.error({ code: 'MSRP_ACCEPT', reason }, 'MSRP accept failed');
      });
      server.listen(port, host, () => {
        isListening = true;
        this.#servers.push(server);
        const { address, port: bound } = server.address() as AddressInfo;
        resolve({ address, port: bound });
      });
    });
  }
}

/** What an endpoint, or a front, listens on. */
interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly port: number };
  readonly webSocket?: { readonly port: number; readonly terminated?: boolean };
}

/** Opens all listeners of the options, or rejects. */
export async function openListeners(
  acceptor: Acceptor,
  identity: TlsIdentity | undefined,
  { host, port, tls, webSocket }: ListenerOptions,
): Promise<{ plain: MsrpAddress; secure?: MsrpAddress; webSocket?: MsrpAddress }> {
  const plain = await acceptor.listen(host, port);
  const secure = identity && tls && (await acceptor.listenSecure(identity, host, tls.port));
  const addresses = { plain, ...(secure && { secure }) };
  if (!webSocket) return addresses;
  const used = webSocket.terminated === true ? undefined : identity;
  if (!used && webSocket.terminated !== true) {
    throw new MsrpError('MSRP_CERTIFICATE', 'MSRP over WebSocket needs a certificate (RFC 7977)');
  }
  const bound = await acceptor.listenWebSocket(used, host, webSocket.port);
  return { ...addresses, webSocket: bound };
}
