/** A server: one process, or a front with a process for each shard of its accounts. */

import type { AdminEndpoint } from './admin/endpoint.js';
import type { CredentialsPort } from './actors/authentication-credentials.js';
import type { Settings } from './config.js';
import type {
  AccountId,
  Clock,
  KeyProvider,
  Log,
  OperatorPort,
  PolicyPort,
  ProvisioningPort,
  Random,
  SocketsPort,
  StorePort,
  Trace,
  TurnTrace,
} from './ports.js';
import { claimLayout } from './cluster/layout.js';
import { shardCountOf } from './cluster/shard-count.js';
import { createLog } from './server/log.js';
import { partsOfOneProcess } from './server/own-parts.js';
import { logShards } from './server/shards-log.js';
import { systemClock } from './system.js';
import type { SipAddress } from './transport/sip/options.js';
import type { Resolve } from './transport/sip/resolve.js';

export { createLog };

/** What an embedder may bring along; whatever is absent is the real thing. */
export interface ServerParts {
  readonly store?: StorePort;
  /** Wraps the keys that seal the store, in place of the files of the settings. */
  readonly keys?: KeyProvider;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  /** The directory of accounts, in place of the one in the store. */
  readonly provisioning?: ProvisioningPort;
  /** Credentials of users, in place of those in the settings. */
  readonly credentials?: CredentialsPort;
  /** Sees what the actors of an account tell each other, turn by turn. */
  readonly turns?: TurnTrace;
  /** Sees every SIP, MSRP and XCAP message in and out, retransmissions included. */
  readonly trace?: Trace;
  /** What SIP and MSRP without TLS are carried by, in place of the sockets of Node. */
  readonly sockets?: SocketsPort;
  /** Finds the next hop of a SIP request, in place of DNS. */
  readonly resolve?: Resolve;
  /** Asked about what the rules of the settings let pass. */
  readonly policy?: PolicyPort;
  /** The program of a shard, when it is not the one beside this file. */
  readonly shardProgram?: string;
}

export interface Server {
  /** The open SIP listeners, in the order of the settings. */
  readonly sip: readonly SipAddress[];
  readonly msrp: { readonly address: string; readonly port: number };
  /** The XCAP listener, when the settings ask for one. */
  readonly xcap?: { readonly address: string; readonly port: number };
  /** The listener of the administration; absent when there is none. */
  readonly admin?: AdminEndpoint['address'];
  /** The accounts, as the HTTP faces see them. */
  readonly accounts: OperatorPort;
  /** Who has an account; absent when the store given has no directory. */
  readonly provisioning?: ProvisioningPort;
  /** Puts the metadata of an account in the external XDMS anew; false: not now, or there is none. */
  rebuildMetadata(account: AccountId): Promise<boolean>;
  /** Everything counted since the start, by name. */
  counters(): Readonly<Record<string, number>>;
  /** The same, asked of every shard at this moment; `counters` are as old as their last beat. */
  counted(): Promise<Readonly<Record<string, number>>>;
  /**
   * Reads the certificates of SIP, MSRP and XCAP again, for connections to come, and the rules of
   * operator policy, of `settings` when given. Throws an error with a code when they cannot be
   * used; what was in force before remains.
   */
  reload(settings?: Pick<Settings, 'policy'>): void;
  /** Takes nothing more, lets what was taken end for at most `graceMs`, closes the store. */
  stop(graceMs?: number): Promise<void>;
  /** The processes of the shards, in their order; absent where there is one process only. */
  shards?(): readonly ShardState[];
}

export interface ShardState {
  readonly pid: number | undefined;
  readonly isUp: boolean;
  /** How often it was started again. */
  readonly restarts: number;
}

/**
 * Opens store and listeners: in this process, unless `cluster.shards` asks for more. Rejects with a
 * coded error, and with nothing left open.
 */
export async function startServer(settings: Settings, parts: ServerParts = {}): Promise<Server> {
  const count = await shardCountOf({
    shards: settings.cluster.shards,
    directory: parts.store ? undefined : settings.store.directory,
    isOneProcess: partsOfOneProcess(parts).length > 0,
  });
  const { shards } = count;
  // Whoever asks for nothing has one process, and knows it.
  if (settings.cluster.shards !== undefined) logShards(settings, parts.log, count);
  // A front needs nothing of what a node is made of but its HTTP faces, nor a node of a front.
  if (shards > 1) return (await import('./server/front.js')).startFront(settings, shards, parts);
  if (parts.store) return (await import('./server/node.js')).startNode(settings, parts);
  await claimLayout(settings.store.directory, shards);
  return startOpening(settings, parts);
}

/** LevelDB reads its log back in a thread of its own, while the modules of a node are loaded. */
async function startOpening(settings: Settings, parts: ServerParts): Promise<Server> {
  const { clock = systemClock, log = createLog(settings.log.level, settings.log.linesPerSecond) } =
    parts;
  const { openStore } = await import('./server/open-store.js');
  const opening = openStore(settings, { clock, log }, parts.keys);
  // Whoever waits for it hears that it failed.
  opening.catch(() => undefined);
  try {
    const { startNode } = await import('./server/node.js');
    return await startNode(settings, { ...parts, log, opening });
  } catch (error) {
    await opening.then(
      (store) => store.close(),
      () => undefined,
    );
    throw error;
  }
}
