/** The connections of an endpoint: listeners, bounds, reuse (MSRP-13). */

import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';
import { Acceptor, openListeners } from './acceptor.js';
import { Admission } from './admission.js';
import { openTcp } from './carrier.js';
import type { Carrier, Target } from './carrier.js';
import { Connection } from './connection.js';
import type { ConnectionOwner, ConnectionSettings } from './connection.js';
import type { MsrpAddresses } from './link.js';
import { LinkedConnections } from './linked-connections.js';
import type { MsrpEndpointOptions } from './options.js';
import type { TlsIdentity } from './tls.js';

export class Connections {
  readonly #owner: ConnectionOwner;
  readonly #settings: ConnectionSettings;
  readonly #identity: TlsIdentity | undefined;
  readonly #admission: Admission;
  readonly #all = new Set<Connection>();
  readonly #byTarget = new Map<string, Connection>();
  readonly #acceptor: Acceptor;
  #linked: LinkedConnections | undefined;

  constructor(
    owner: ConnectionOwner,
    settings: ConnectionSettings,
    identity: TlsIdentity | undefined,
  ) {
    this.#owner = owner;
    this.#settings = settings;
    this.#identity = identity;
    this.#admission = new Admission(settings.limits, settings.log);
    this.#acceptor = new Acceptor(settings, this.#admission, (carrier) => this.#accept(carrier));
  }

  all(): Connection[] {
    return [...this.#all];
  }

  /** Opens all listeners, or rejects; with a link they are in another process. */
  async listen(options: MsrpEndpointOptions): Promise<MsrpAddresses> {
    const { link } = options;
    if (!link) return openListeners(this.#acceptor, this.#identity, options);
    const { held } = this.#settings;
    const accept = (carrier: Carrier): void => this.#accept(carrier);
    this.#linked = new LinkedConnections({ link, held }, this.#identity, accept);
    return link.addresses;
  }

  /** A usable connection to that target, opened if there is none; undefined at the bound. */
  open(
    target: Target,
    fingerprints: readonly CertificateFingerprint[] = [],
  ): Connection | undefined {
    const { secure, host, port } = target;
    const key = `${secure ? 'tls' : 'tcp'}:${host.toLowerCase()}:${port}`;
    const known = this.#byTarget.get(key);
    // A certificate that did for one session need not do for the next.
    if (known?.isUsable && known.mayCarry(fingerprints)) return known;
    if (this.#admission.isFull) return undefined;
    if (secure && !this.#identity) return undefined;
    const carrier = secure
      ? this.#identity!.open(target, key)
      : openTcp(target, key, this.#settings.sockets);
    const connection = new Connection(carrier, this.#owner, this.#settings, fingerprints);
    this.#admission.open(1);
    this.#all.add(connection);
    this.#byTarget.set(key, connection);
    return connection;
  }

  /** The connection is closed. */
  forget(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const { target } = connection;
    if (target === undefined) return;
    this.#admission.open(-1);
    if (this.#byTarget.get(target) === connection) this.#byTarget.delete(target);
  }

  /** Accepts no further connection; resolves when those that are open are closed too. */
  async stopListening(): Promise<void> {
    this.#linked?.stop();
    await this.#acceptor.stop();
  }

  /** Closes every connection, and every handshake that is under way. */
  closeAll(): void {
    for (const connection of this.all()) connection.close('closed');
    this.#admission.closeAll();
  }

  #accept(carrier: Carrier): void {
    this.#all.add(new Connection(carrier, this.#owner, this.#settings));
  }
}
