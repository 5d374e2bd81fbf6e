/** A real server on loopback with everything recorded that it logs and sends. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingsOf } from '../../src/config.js';
import type { SettingsInput } from '../../src/config.js';
import type { Log, Trace } from '../../src/ports.js';
import { startServer } from '../../src/server.js';
import type { Server } from '../../src/server.js';

export const deferredHost = 's07.poste.example.net';

export interface LogLine {
  readonly level: string;
  readonly code: unknown;
  readonly text: string;
}

export interface HostileServer {
  readonly server: Server;
  readonly udp: Place;
  readonly tcp: Place;
  readonly msrp: Place;
  /** The newest lines; older ones are dropped. */
  readonly lines: LogLine[];
  stop(): Promise<void>;
}

export interface Place {
  readonly transport: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

const linesMax = 10_000;

export async function startHostileServer(
  settings: SettingsInput = {},
  trace?: Trace,
): Promise<HostileServer> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-hostile-'));
  const lines: LogLine[] = [];
  const server = await startServer(
    settingsOf({
      ...settings,
      sip: {
        listen: [
          { transport: 'udp', port: 0 },
          { transport: 'tcp', port: 0 },
        ],
        ...settings.sip,
      },
      msrp: { port: 0, ...settings.msrp },
      store: { directory: join(directory, 'store'), durability: 'os' },
      identity: { hostname: deferredHost },
      log: { level: 'silent' },
    }),
    { log: recorder(lines), ...(trace && { trace }) },
  );
  const placeOf = (transport: 'udp' | 'tcp'): Place => {
    const { port } = server.sip.find((address) => address.transport === transport)!;
    return { transport, address: '127.0.0.1', port };
  };
  return {
    server,
    udp: placeOf('udp'),
    tcp: placeOf('tcp'),
    msrp: { transport: 'tcp', address: '127.0.0.1', port: server.msrp.port },
    lines,
    async stop() {
      await server.stop(0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function recorder(lines: LogLine[]): Log {
  const add = (level: string) => (fields: object, message: string) => {
    const { code, err, error } = fields as { code?: unknown; err?: unknown; error?: unknown };
    const cause = err ?? error;
    const stack = cause instanceof Error ? ` ${cause.stack}` : '';
    if (lines.length === linesMax) lines.splice(0, linesMax / 2);
    lines.push({ level, code, text: `${JSON.stringify(fields)} ${message}${stack}` });
  };
  return { debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') };
}
