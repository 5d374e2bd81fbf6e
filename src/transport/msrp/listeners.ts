/** What an endpoint listens on, and the URIs under which peers find its sessions there. */

import type { MsrpCarriage } from '../../ports.js';
import { formatMsrpUri } from '../../wire/msrp/uri.js';
import type { Connections } from './connections.js';
import { MsrpError } from './options.js';
import type { MsrpAddress, MsrpEndpointOptions } from './options.js';
import type { TlsIdentity } from './tls.js';

export class Listeners {
  readonly #options: MsrpEndpointOptions;
  #plain: MsrpAddress | undefined;
  #secure: MsrpAddress | undefined;
  #webSocket: MsrpAddress | undefined;

  constructor(options: MsrpEndpointOptions) {
    this.#options = options;
  }

  get plain(): MsrpAddress {
    if (!this.#plain) throw new MsrpError('MSRP_NOT_STARTED', 'the endpoint does not listen');
    return this.#plain;
  }

  get secure(): MsrpAddress | undefined {
    return this.#secure;
  }

  get webSocket(): MsrpAddress | undefined {
    return this.#webSocket;
  }

  /** Opens all of them, or rejects. */
  async open(connections: Connections, identity: TlsIdentity | undefined): Promise<void> {
    const { host, port, tls, webSocket } = this.#options;
    this.#plain = await connections.listen(host, port);
    if (identity && tls) this.#secure = await connections.listenSecure(identity, host, tls.port);
    if (!webSocket) return;
    const used = webSocket.terminated === true ? undefined : identity;
    if (!used && webSocket.terminated !== true) {
      throw new MsrpError('MSRP_CERTIFICATE', 'MSRP over WebSocket needs a certificate (RFC 7977)');
    }
    this.#webSocket = await connections.listenWebSocket(used, host, webSocket.port);
  }

  /** Whether a session so carried is safe from readers. */
  isSecure({ secure, webSocket }: MsrpCarriage): boolean {
    return webSocket === true || (secure ?? this.#options.tls?.preferred ?? false);
  }

  /** Throws MsrpError `MSRP_CARRIAGE` where there is no such listener. */
  uri(sessionId: string, carriage: MsrpCarriage): string {
    const { host, advertisedHost } = this.#options;
    const name = advertisedHost ?? host;
    const secure = this.isSecure(carriage);
    return formatMsrpUri({
      secure,
      host: name.includes(':') && !name.startsWith('[') ? `[${name}]` : name,
      port: this.#port(carriage, secure),
      sessionId,
      transport: carriage.webSocket === true ? 'ws' : 'tcp',
      parameters: [],
    });
  }

  #port({ webSocket }: MsrpCarriage, secure: boolean): number {
    const options = this.#options;
    if (!secure) return options.advertisedPort ?? this.plain.port;
    const listener = webSocket === true ? this.#webSocket : this.#secure;
    if (!listener) throw new MsrpError('MSRP_CARRIAGE', 'the endpoint has no such listener');
    const chosen = webSocket === true ? options.webSocket : options.tls;
    return chosen?.advertisedPort ?? listener.port;
  }
}
