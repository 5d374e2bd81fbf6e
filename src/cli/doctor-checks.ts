/** What the doctor looks at. A check returns what it found, or throws what is wrong. */

import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { constants, existsSync, readFileSync } from 'node:fs';
import { access, mkdtemp, rmdir, stat, statfs } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Settings } from '../config.js';
import { fileKeysOf } from '../server/file-keys.js';
import { checkedLayout, storeDirectories } from '../cluster/layout.js';
import { shardCountOf } from '../cluster/shard-count.js';
import { createLog } from '../server.js';
import { openLevelStore } from '../store/level.js';

export interface Check {
  readonly name: string;
  run(): Promise<string>;
}

export type DoctorErrorCode =
  'DOCTOR_CERTIFICATE' | 'DOCTOR_ADDRESS' | 'DOCTOR_STORE' | 'DOCTOR_XDMS' | 'DOCTOR_CLOCK';

export class DoctorError extends Error {
  readonly code: DoctorErrorCode;

  constructor(code: DoctorError['code'], message: string) {
    super(message);
    this.name = 'DoctorError';
    this.code = code;
  }
}

// -------------------------------------------------------------------------- certificates

interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

interface Named {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export function tlsChecks({ sip, msrp, xcap, admin }: Settings): Check[] {
  const pairs: [string, Named | undefined, readonly string[]][] = [
    ['sip.tls', sip.tls, sip.tls?.ca ?? []],
    ...(sip.tls?.servers ?? []).map((pair, index): [string, KeyPair, readonly string[]] => [
      `sip.tls.servers.${index}`,
      pair,
      [],
    ]),
    ['msrp.tls', msrp.tls, msrp.tls?.authorities ?? []],
    ['xcap.tls', xcap?.tls, []],
    ['admin.tls', admin?.tls, admin?.tls?.authorities ?? []],
  ];
  return pairs.flatMap(([name, pair, authorities]) => {
    const { certificate, key } = pair ?? {};
    if (certificate === undefined || key === undefined) return [];
    return [{ name, run: () => Promise.resolve(certificateOf({ certificate, key }, authorities)) }];
  });
}

function certificateOf({ certificate, key }: KeyPair, authorities: readonly string[]): string {
  const cert = readFileSync(certificate);
  let read: X509Certificate;
  try {
    createSecureContext({
      cert,
      key: readFileSync(key),
      ca: authorities.map((one) => readFileSync(one)),
    });
    read = new X509Certificate(cert);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DoctorError('DOCTOR_CERTIFICATE', `${certificate} with ${key}: ${why}`);
  }
  const left = Date.parse(read.validTo) - Date.now();
  const days = Math.floor(left / 86_400_000);
  if (left < 0)
    throw new DoctorError('DOCTOR_CERTIFICATE', `${certificate} expired ${read.validTo}`);
  return `${certificate}: ${read.subjectAltName ?? read.subject}, ${days} days left`;
}

// ----------------------------------------------------------------------------- addresses

export function addressChecks({ sip, msrp, xcap, admin }: Settings): Check[] {
  const wanted: [string, 'udp' | 'tcp', string, number][] = sip.listen.map(
    ({ transport, host, port }) => [
      `sip.listen ${transport}`,
      transport === 'udp' ? 'udp' : 'tcp',
      host,
      port,
    ],
  );
  wanted.push(['msrp', 'tcp', msrp.host, msrp.port]);
  if (msrp.tls) wanted.push(['msrp.tls', 'tcp', msrp.host, msrp.tls.port]);
  if (msrp.webSocket) wanted.push(['msrp.webSocket', 'tcp', msrp.host, msrp.webSocket.port]);
  if (xcap) wanted.push(['xcap', 'tcp', xcap.host, xcap.port]);
  if (admin) wanted.push(['admin', 'tcp', admin.host, admin.port]);
  return wanted.map(([name, protocol, host, port]) => ({
    name: `${name} ${host}:${port}`,
    run: async () => {
      try {
        await (protocol === 'udp' ? bindUdp(host, port) : bindTcp(host, port));
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const hint = code === 'EADDRINUSE' ? '; is the server running already?' : '';
        throw new DoctorError('DOCTOR_ADDRESS', `${message}${hint}`);
      }
      return 'free';
    },
  }));
}

async function bindUdp(host: string, port: number): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
  } finally {
    socket.close();
  }
}

async function bindTcp(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  await new Promise((done) => server.close(done));
}

// --------------------------------------------------------------------------------- store

/** Below this a busy server is full before anybody looks. */
const freeMin = 256 * 1024 * 1024;

/** Of as many stores as `serve` would open. */
export async function storeChecks(settings: Settings): Promise<readonly Check[]> {
  const { store, cluster } = settings;
  const directory = resolve(store.directory);
  const counting = shardCountOf({ shards: cluster.shards ?? 'auto', directory });
  const count = await counting.catch(() => undefined);
  if (count === undefined) {
    // What cannot be counted is told as a finding, like everything else.
    return [{ name: `store ${directory}`, run: async () => `${(await counting).shards} shards` }];
  }
  const { shards } = count;
  return [
    ...storeDirectories(directory, shards).map((own) => ({
      name: `store ${own}`,
      run: async () => {
        await checkedLayout(directory, shards);
        if (!existsSync(own)) return absentStore(own);
        const keys = fileKeysOf(store);
        const opened = await openLevelStore({
          ...{ directory: own, durability: store.durability, log: createLog('silent') },
          ...(keys && { keys }),
        });
        const [first] = await opened.accounts({ limit: 1 });
        await opened.close();
        return first === undefined ? 'opens; it is empty' : 'opens; there are accounts';
      },
    })),
    {
      name: 'store space',
      run: async () => {
        const { bavail, bsize } = await statfs(nearest(directory));
        const free = bavail * bsize;
        const text = `${Math.floor(free / 1024 / 1024)} MiB free`;
        if (free < freeMin) throw new DoctorError('DOCTOR_STORE', `${text}: too little`);
        return text;
      },
    },
  ];
}

/** It would be made at the start. */
async function absentStore(directory: string): Promise<string> {
  const parent = nearest(directory);
  try {
    await access(parent, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new DoctorError('DOCTOR_STORE', (error as Error).message);
  }
  return `is not there yet; ${parent} can be written`;
}

/** The directory itself, or the first above it that exists. */
function nearest(directory: string): string {
  return existsSync(directory) ? directory : nearest(dirname(directory));
}

// ---------------------------------------------------------------------------------- XDMS

const connectMs = 5_000;

export function xdmsChecks({ xdms }: Settings): Check[] {
  if (!xdms) return [];
  const { protocol, hostname, port } = new URL(xdms.root);
  const at = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || defaultPort(protocol)),
  };
  return [
    {
      name: `xdms ${xdms.root}`,
      run: async () => {
        const socket = connect({ ...at, timeout: connectMs });
        socket.on('timeout', () => socket.destroy(new Error('no connection in time')));
        try {
          await once(socket, 'connect');
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          throw new DoctorError('DOCTOR_XDMS', `${at.host}:${at.port}: ${why}`);
        } finally {
          socket.destroy();
        }
        return 'can be reached';
      },
    },
  ];
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80;
}

// --------------------------------------------------------------------------------- clock

/** No server of this version ran before. */
const earliest = Date.UTC(2026, 0, 1);
const skewMax = 5_000;

export function clockChecks({ store }: Settings): Check[] {
  return [
    {
      name: 'clock',
      run: async () => {
        const now = Date.now();
        const text = new Date(now).toISOString();
        if (now < earliest) {
          throw new DoctorError('DOCTOR_CLOCK', `${text}: expiry would count from there`);
        }
        const parent = nearest(resolve(store.directory));
        const made = await mkdtemp(join(parent, '.doctor-'));
        try {
          const skew = Math.abs((await stat(made)).mtimeMs - now);
          if (skew > skewMax) {
            throw new DoctorError('DOCTOR_CLOCK', `the file system is ${Math.round(skew)} ms off`);
          }
        } finally {
          await rmdir(made);
        }
        return text;
      },
    },
  ];
}
