/** The front of a server with several shards: sockets and HTTP here, accounts in their processes. */

import { spawn } from 'node:child_process';
import type { Socket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { AssociatedIdentities } from '../actors/associated-identities.js';
import { ServedUsers } from '../actors/served-users.js';
import { createTrust } from '../actors/trust.js';
import { frameKind } from '../cluster/frame.js';
import { claimLayout, frontDirectory, shardAmong } from '../cluster/layout.js';
import { ShardProcess } from '../cluster/shard-process.js';
import { ConfigError, readPolicy } from '../config.js';
import type { Settings } from '../config.js';
import type { AccountId } from '../ports.js';
import type { Server, ServerParts } from '../server.js';
import type { LevelStore } from '../store/level.js';
import { systemClock, systemRandom } from '../system.js';
import { createSipEndpoint } from '../transport/sip/endpoint.js';
import type { SipEndpoint } from '../transport/sip/endpoint.js';
import { version } from '../version.js';
import { authenticationOptions } from './authentication.js';
import { openFaces } from './faces.js';
import type { Faces } from './faces.js';
import { createLog } from './log.js';
import { keepCertificates } from './certificates.js';
import type { Certificates } from './certificates.js';
import { identityOptions } from './actors.js';
import { openStore } from './open-store.js';
import { partsOfOneProcess } from './own-parts.js';
import { shardedBackup } from './sharded-backup.js';
import { ShardedLatency } from './sharded-latency.js';
import { shardedAccounts, shardedProvisioning, tellRecords } from './sharded-accounts.js';
import type { ShardQuestions } from './sharded-accounts.js';
import type { Greeting, Opening, ShardReady } from './shard-program.js';
import { recordForwarded } from './shard-trace.js';
import { createSharedMsrp } from './shared-msrp.js';
import type { SharedMsrp } from './shared-msrp.js';
import { SipFront } from './sip-front.js';
import { SipRoute } from './sip-route.js';
import { tracesOf } from './traces.js';
import { sipOptions } from './transports.js';
import type { World } from './transports.js';

/** Opens the sockets, a store for what the shards have in common, and a process for each shard. */
export async function startFront(
  settings: Settings,
  shards: number,
  parts: ServerParts,
): Promise<Server> {
  refuseParts(parts);
  const log = parts.log ?? createLog(settings.log.level, settings.log.linesPerSecond);
  const traces = tracesOf(settings, parts);
  const world: World = {
    ...{ clock: systemClock, random: systemRandom, log },
    ...(traces.trace && { trace: traces.trace }),
  };
  readPolicy(settings);
  await claimLayout(settings.store.directory, shards);
  const directory = frontDirectory(settings.store.directory);
  const store = await openStore({ ...settings, store: { ...settings.store, directory } }, world);
  let front;
  try {
    front = new Front(settings, shards, { world, store, traces, program: parts.shardProgram });
  } catch (error) {
    // Certificates that cannot be used leave nothing open.
    await store.close();
    throw error;
  }
  try {
    await front.start();
  } catch (error) {
    await front.stop(0);
    throw error;
  }
  return front.server();
}

interface FrontParts {
  readonly world: World;
  readonly store: LevelStore;
  readonly traces: ReturnType<typeof tracesOf>;
  readonly program: string | undefined;
}

class Front {
  readonly #settings: Settings;
  /** The part of them that was read again. */
  #changed: Pick<Settings, 'policy'>;
  readonly #parts: FrontParts;
  readonly #associated: AssociatedIdentities;
  readonly #users: ServedUsers;
  readonly #sip: SipFront;
  readonly #endpoint: SipEndpoint;
  #msrp: SharedMsrp | undefined;
  readonly #processes: readonly ShardProcess[];
  readonly #questions: ShardQuestions;
  readonly #latency = new ShardedLatency();
  readonly #authentication;
  readonly #faces: Faces = {};
  readonly #certificates: Certificates;
  #isDraining = false;
  /** Nonces of one shard are known to the others. */
  readonly #secret = systemRandom.token(43);

  constructor(settings: Settings, shards: number, parts: FrontParts) {
    const { world, store } = parts;
    this.#settings = settings;
    this.#changed = { policy: settings.policy };
    this.#parts = parts;
    const { trustedPeers: peers, trustedNames: names } = settings.identity;
    const { identities: bound, identitiesMs: lastingMs } = settings.bounds;
    this.#associated = new AssociatedIdentities({
      ...{ ...world, bound, lastingMs, store: store.associations },
    });
    this.#users = new ServedUsers({
      ...identityOptions(settings.identity),
      provisioning: store.provisioning,
      associated: this.#associated,
    });
    this.#authentication = authenticationOptions(settings.identity, undefined);
    const route = new SipRoute({
      users: this.#users,
      shards,
      isTrusted: createTrust({ peers, names }),
      credentials: this.#authentication?.credentials,
      bodyBytes: settings.sip.messageOctets,
      invites: settings.sip.transactions,
    });
    this.#sip = new SipFront(route, (shard) => this.#processes[shard]);
    const divert = this.#sip;
    this.#endpoint = createSipEndpoint({ ...world, ...sipOptions(settings, world.random), divert });
    this.#sip.endpoint = this.#endpoint;
    // With a step each shard listens itself.
    if (settings.cluster.msrpPortStep === 0) {
      this.#msrp = createSharedMsrp(settings, world, (shard) => this.#processes[shard]);
    }
    this.#certificates = keepCertificates(
      { settings, sip: this.#endpoint, msrp: this.#msrp, faces: this.#faces },
      world,
    );
    this.#processes = Array.from({ length: shards }, (_, shard) => this.#process(shard, shards));
    this.#questions = {
      shards,
      shardOf: (account) => shardAmong(account, shards),
      ask: (shard, name, ...parameters) => this.#processes[shard]!.call(name, ...parameters),
    };
  }

  async start(): Promise<void> {
    await this.#associated.load();
    // What an earlier front has left holds its store and the sockets: it is gone when these are open.
    await Promise.all(this.#processes.map((process) => process.open()));
    await this.#msrp?.start();
    await this.#endpoint.start(this.#sip.handler);
    this.#sip.started();
    await Promise.all(this.#processes.map((process) => process.start()));
    const { world, store, traces } = this.#parts;
    for (const shard of this.#processes.keys()) {
      await tellRecords(store.provisioning!, this.#questions, shard);
    }
    const accounts = shardedAccounts(this.#questions, this.#users);
    await openFaces(this.#faces, this.#settings, this.#authentication, {
      ...world,
      ...{ accounts, version, ladders: traces.ladders },
      provisioning: shardedProvisioning(store.provisioning!, this.#questions),
      counters: () => this.#counters(),
      refresh: async () => {
        await Promise.all([this.#refresh(), this.#latency.refresh(this.#questions)]);
      },
      commitLatency: () => this.#latency.sum(),
      backup: () => shardedBackup(this.#questions, () => store.backup()),
      intake: {
        isDraining: () => this.#isDraining,
        drain: (draining) => {
          this.#isDraining = draining;
          this.#tellAll('drain', draining);
        },
      },
    });
  }

  /** The HTTP faces first, then the shards with their sessions, and the sockets when they are done. */
  async stop(graceMs: number): Promise<void> {
    this.#certificates.end();
    await this.#faces.admin?.stop();
    await this.#faces.xcap?.stop(graceMs);
    await Promise.all(this.#processes.map((process) => process.stop(graceMs)));
    await this.#endpoint.stop(0);
    await this.#msrp?.stop();
    await this.#parts.store.close();
  }

  server(): Server {
    const accounts = shardedAccounts(this.#questions, this.#users);
    const { store } = this.#parts;
    const ready = this.#processes[0]!.ready as ShardReady;
    const { xcap, admin } = this.#faces;
    return {
      sip: this.#endpoint.addresses,
      msrp: this.#msrp?.addresses?.plain ?? ready.msrp,
      ...(xcap && { xcap: xcap.address }),
      ...(admin && { admin: admin.address }),
      accounts,
      provisioning: shardedProvisioning(store.provisioning!, this.#questions),
      rebuildMetadata: async (account) =>
        (await this.#questions.ask(this.#shardOf(account), 'rebuild', account)) === true,
      counters: () => this.#counters(),
      counted: async () => {
        await this.#refresh();
        return this.#counters();
      },
      reload: (changed = this.#settings) => this.#reload(changed),
      stop: (graceMs = 5000) => this.stop(graceMs),
      shards: () => this.#processes.map(({ pid, isUp, restarts }) => ({ pid, isUp, restarts })),
    };
  }

  /** Shards send by the sockets of the front; a trace has to see it, and is here. */
  get #shared(): readonly Socket[] {
    if (this.#parts.world.trace) return [];
    return this.#endpoint.datagrams.map(({ socket }) => socket);
  }

  #shardOf(account: AccountId): number {
    return this.#questions.shardOf(account);
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.refresh()));
  }

  /** Sums over the shards, as they were last told, and what is of the front alone. */
  #counters(): Record<string, number> {
    const sums: Record<string, number> = Object.create(null) as Record<string, number>;
    const add = (counters: Readonly<Record<string, number>>): void => {
      for (const [name, one] of Object.entries(counters)) {
        const sum = sums[name] ?? 0;
        sums[name] = isOfMost(name) ? Math.max(sum, one) : sum + one;
      }
    };
    for (const process of this.#processes) add(process.counters);
    const { connections = 0, malformed = 0, connectionsAccepted = 0 } = this.#endpoint.counters();
    add({ connections, malformed, connectionsAccepted, ...this.#faces.xcap?.counters() });
    if (this.#msrp) add(this.#msrp.counters());
    add({ 'cluster.residentBytes': process.memoryUsage.rss() });
    sums['cluster.shards'] = this.#processes.filter(({ isUp }) => isUp).length;
    sums['cluster.restarts'] = this.#processes.reduce((sum, { restarts }) => sum + restarts, 0);
    sums['cluster.refused'] = this.#sip.refused;
    return sums;
  }

  #reload(changed: Pick<Settings, 'policy'>): void {
    readPolicy(changed);
    this.#certificates.reload();
    this.#changed = changed;
    this.#tellAll('reload', changed.policy);
  }

  #settingsOf(shard: number): unknown {
    return settingsOfShard({ ...this.#settings, ...this.#changed }, shard, this.#secret);
  }

  /** A shard that is away hears of it when it comes back. */
  #tellAll(name: string, told: unknown): void {
    const { log } = this.#parts.world;
    for (const process of this.#processes) {
      process.call(name, told).catch((error: unknown) => {
        log.warn({ err: error, name }, 'a shard has not been told');
      });
    }
  }

  #process(shard: number, shards: number): ShardProcess {
    const { world, store, traces, program } = this.#parts;
    const { clock, log } = world;
    // The program stands beside the library, whichever of the two this is.
    const beside = new URL('../program/shard-program.js', import.meta.url);
    const entry = program ?? fileURLToPath(beside);
    const { cluster } = this.#settings;
    return new ShardProcess({
      ...{ shard, clock, log },
      bounds: { ...cluster, mediaOctets: cluster.msrpHeldOctets },
      spawn: () =>
        spawn(process.execPath, [entry], {
          // Standard output is for results.
          stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'ipc', 'pipe'],
        }),
      opening: (): Opening => ({ settings: this.#settingsOf(shard), shard }),
      greeting: (): Greeting => ({
        ...{ settings: this.#settingsOf(shard), shard, shards },
        addresses: this.#endpoint.addresses,
        msrp: this.#msrp?.addresses,
        draining: this.#isDraining,
        traced: (traces.trace ?? traces.turns) !== undefined,
      }),
      answers: {
        datagrams: () => this.#processes[shard]!.handOver(this.#shared),
        reserve: (counter: string, count: number) => store.reserve(counter, count),
        learn: (account: AccountId, uris: readonly string[], expiresMs: number) =>
          this.#users.associate(account, uris, expiresMs),
      },
      ...(this.#msrp && { media: this.#msrp.answers(shard) }),
      frame: (kind, octets) => {
        if (kind === frameKind.departure) this.#sip.departed(shard, octets);
        else if (kind === frameKind.stray) this.#sip.strayed(octets);
        else if (kind === frameKind.traced) recordForwarded(octets, traces);
      },
    });
  }
}

/** Ports of MSRP are of the shard; HTTP is at the front. */
function settingsOfShard(settings: Settings, shard: number, secret: string): unknown {
  const step = shard * settings.cluster.msrpPortStep;
  const moved = (port: number): number => (port === 0 ? 0 : port + step);
  const { tls, webSocket, ...msrp } = settings.msrp;
  const movedPorts = <T extends { port: number; advertisePort?: number | undefined }>(
    of: T,
  ): T => ({
    ...of,
    port: moved(of.port),
    ...(of.advertisePort !== undefined && { advertisePort: moved(of.advertisePort) }),
  });
  const { digest, ...identity } = settings.identity;
  return {
    ...settings,
    ...{ admin: undefined, xcap: undefined },
    cluster: { ...settings.cluster, shards: 1 },
    identity: { ...identity, digest: { ...digest, secret: digest.secret ?? secret } },
    msrp: {
      ...movedPorts(msrp),
      ...(tls && { tls: movedPorts(tls) }),
      ...(webSocket && { webSocket: movedPorts(webSocket) }),
    },
  };
}

/** Shards have none of what an embedder brings along. */
function refuseParts(parts: ServerParts): void {
  const found = partsOfOneProcess(parts);
  if (found.length === 0) return;
  const names = found.join(', ');
  throw new ConfigError('CONFIG_INVALID', `cluster.shards above 1 cannot be used with ${names}`);
}

/** Ages and sizes of the one that has most of it: no sum says anything. */
function isOfMost(name: string): boolean {
  return /^(?:survey\.(?:oldest\w+|largest|ageSeconds)|store\.unsortedFiles)$/.test(name);
}
