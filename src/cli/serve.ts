/** The command `poste-restante serve`. */

import { Command, InvalidArgumentError } from 'commander';
import { readSettings, settingsOf } from '../config.js';
import { maskSecrets } from '../settings/identity.js';
import type { Settings } from '../config.js';
import { startServer } from '../server.js';
import type { Server, ServerParts } from '../server.js';
import { describeError } from './described-error.js';

interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly trace?: string;
  readonly traceOctets: number;
  readonly traceHashed?: boolean;
  readonly msrpPort?: number;
  readonly dir?: string;
  readonly hostname?: string;
  readonly domain?: string[];
  readonly durability?: string;
  readonly shards?: number | 'auto';
  readonly logLevel?: string;
  readonly printConfig?: boolean;
}

/** Runs a server until SIGINT or SIGTERM. Says on standard output, in one JSON line, when it is ready. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the server; without a configuration it serves every domain on loopback')
    .option('-c, --config <file>', 'configuration (YAML); the options below override it')
    .option('--host <address>', 'listen for SIP (UDP and TCP) and MSRP on this address')
    .option('-p, --port <port>', 'SIP port, UDP and TCP (0: any free one)', portOf)
    .option('--msrp-port <port>', 'MSRP port (0: any free one)', portOf)
    .option('-d, --dir <directory>', 'directory of the store')
    .option('--hostname <name>', 'host of Message-IDs and of Deferred@')
    .option('--domain <domain...>', 'served domains')
    .option('--durability <mode>', 'fsync: a 202 survives a power cut; os: it survives a crash')
    .option('--shards <count>', 'processes that share the accounts; 1: this one (auto)', shardsOf)
    .option('--log-level <level>', 'silent, error, warn, info or debug')
    .option('--trace <file>', 'write messages without bodies, and turns, for `why` and `ladder`')
    .option('--trace-octets <count>', 'size at which the trace begins anew', Number, 67_108_864)
    .option('--trace-hashed', 'users in the trace are told apart, but not named')
    .option('--print-config', 'print the settings in force as JSON and end')
    .action(async (options: ServeOptions) => {
      const settings = settingsFrom(options);
      if (options.printConfig) {
        process.stdout.write(`${JSON.stringify(settings, maskSecrets, 2)}\n`);
        return;
      }
      const server = await startServer(settings, await traceParts(options));
      stopOnSignal(server);
      reloadOnSignal(server, () => settingsFrom(options));
      const { sip, msrp, admin } = server;
      const shards = server.shards?.().length ?? 1;
      process.stdout.write(
        `${JSON.stringify({ ready: true, sip: sip[0], listeners: sip, msrp, admin, shards })}\n`,
      );
    });
}

function settingsFrom(options: ServeOptions): Settings {
  const base = settingsOf(options.config === undefined ? {} : readSettings(options.config));
  const { host, port } = options;
  const sip = { ...base.sip };
  if (host !== undefined || port !== undefined) {
    sip.listen = base.sip.listen.map((listener) => ({
      ...listener,
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
    }));
  }
  return settingsOf({
    ...base,
    sip,
    msrp: {
      ...base.msrp,
      ...(host !== undefined && { host }),
      ...(options.msrpPort !== undefined && { port: options.msrpPort }),
    },
    store: {
      ...base.store,
      ...(options.dir !== undefined && { directory: options.dir }),
      ...(options.durability !== undefined && { durability: options.durability }),
    },
    identity: {
      ...base.identity,
      ...(options.hostname !== undefined && { hostname: options.hostname }),
      ...(options.domain !== undefined && { domains: options.domain }),
    },
    cluster: { ...base.cluster, shards: options.shards ?? base.cluster.shards ?? 'auto' },
    log: { ...base.log, level: options.logLevel ?? base.log.level },
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('not a port');
  return port;
}

function shardsOf(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('neither a number nor auto');
  return Number(text);
}

/** The first signal stops in good order, the second at once. */
function stopOnSignal(server: Server): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${describeError(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** SIGHUP: certificates and policy are read again; what cannot be used is told of. */
function reloadOnSignal(server: Server, settings: () => Settings): void {
  process.on('SIGHUP', () => {
    try {
      server.reload(settings());
    } catch (error) {
      process.stderr.write(`${describeError(error)}\n`);
    }
  });
}

/** What a trace needs; it may fill a disk, which must not end the server. */
async function traceParts(options: ServeOptions): Promise<ServerParts> {
  const { trace, traceOctets, traceHashed } = options;
  if (trace === undefined) return {};
  const { lineTrace } = await import('../verify/trace-record.js');
  const { openTraceFile } = await import('./trace-file.js');
  const file = openTraceFile(trace, traceOctets, (error) => {
    process.stderr.write(`poste-restante: the trace has ended: ${describeError(error)}\n`);
  });
  const lines = lineTrace((line) => file.write(line), traceHashed === true);
  return { trace: lines, turns: lines };
}
