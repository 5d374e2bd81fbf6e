/** What an endpoint listens on, and the URIs under which peers find its sessions there. */

import type { MsrpCarriage } from '../../ports.js';
import { formatMsrpUri } from '../../wire/msrp/uri.js';
import type { Connections } from './connections.js';
import type { MsrpAddresses } from './link.js';
import { MsrpError } from './options.js';
import type { MsrpAddress, MsrpEndpointOptions } from './options.js';

export class Listeners {
  readonly #options: MsrpEndpointOptions;
  #addresses: MsrpAddresses | undefined;

  constructor(options: MsrpEndpointOptions) {
    this.#options = options;
  }

  get plain(): MsrpAddress {
    if (this.#addresses) return this.#addresses.plain;
    throw new MsrpError('MSRP_NOT_STARTED', 'the endpoint does not listen');
  }

  get secure(): MsrpAddress | undefined {
    return this.#addresses?.secure;
  }

  get webSocket(): MsrpAddress | undefined {
    return this.#addresses?.webSocket;
  }

  /** Opens all of them, or rejects. */
  async open(connections: Connections): Promise<void> {
    this.#addresses = await connections.listen(this.#options);
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
    const listener = webSocket === true ? this.webSocket : this.secure;
    if (!listener) throw new MsrpError('MSRP_CARRIAGE', 'the endpoint has no such listener');
    const chosen = webSocket === true ? options.webSocket : options.tls;
    return chosen?.advertisedPort ?? listener.port;
  }
}
