/** Locating SIP servers: NAPTR, SRV and addresses of a domain (RFC 3263 4). */

import { isIP } from 'node:net';
import type { Clock, Random } from '../../ports.js';
import { nameLimits, rememberNames, systemNames } from './name-records.js';
import type { NameLimits, NameSource, SrvRecord } from './name-records.js';
import type { NextHop } from './next-hop.js';
import type { SipTransport } from './options.js';
import { targetOf, type Resolve, type Target } from './resolve.js';

export interface LocateOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** By default DNS. */
  readonly names?: NameSource;
  readonly limits?: Partial<NameLimits>;
  /** Targets of one request. */
  readonly targetsMax?: number;
  /** Transports by which requests can leave; UDP, TCP and TLS by default. */
  readonly transports?: readonly SipTransport[];
}

interface Search {
  readonly names: NameSource;
  readonly random: Random;
  readonly targetsMax: number;
  readonly transports: readonly SipTransport[];
}

/** NAPTR services (RFC 3263 4.1, RFC 7118 5). */
const services: ReadonlyMap<string, SipTransport> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
  ['SIP+D2W', 'ws'],
  ['SIPS+D2W', 'wss'],
]);

/** SRV prefixes, in our order of preference where a domain has no NAPTR. */
const prefixes: readonly (readonly [SipTransport, string])[] = [
  ['udp', '_sip._udp.'],
  ['tcp', '_sip._tcp.'],
  ['tls', '_sips._tcp.'],
  ['ws', '_sip._ws.'],
  ['wss', '_sips._ws.'],
];

/** Queries of one search, whatever the records say. */
const branchesMax = 8;

/**
 * Numeric addresses as they are, names with a port by their addresses, others by NAPTR, SRV and
 * addresses. Every call draws anew among SRV records of one priority.
 */
export function createLocator(options: LocateOptions): Resolve {
  const { clock, random, names = systemNames(), targetsMax = 8 } = options;
  const transports = options.transports ?? ['udp', 'tcp', 'tls'];
  const limits = { ...nameLimits, ...options.limits };
  const search = { names: rememberNames(names, clock, limits), random, targetsMax, transports };
  return (hop) => {
    if (isIP(hop.host) !== 0) return [targetOf(hop, hop.host)];
    if (hop.port !== undefined || !isDomain(hop.host)) return byAddress(search, hop);
    return byService(search, hop);
  };
}

/** Names of the host alone are in no DNS (RFC 6761 6.3). */
function isDomain(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return name.includes('.') && !name.endsWith('.localhost');
}

async function byService(search: Search, hop: NextHop): Promise<readonly Target[]> {
  const found: Target[] = [];
  for (const [transport, name] of await servicesOf(search, hop)) {
    const records = await search.names.srv(name);
    await addServers(search, transport, records, found);
    if (found.length >= search.targetsMax) break;
  }
  return found.length > 0 ? found : byAddress(search, hop);
}

/** The SRV names to ask, best first, each with its transport. */
async function servicesOf(
  search: Search,
  hop: NextHop,
): Promise<readonly (readonly [SipTransport, string])[]> {
  const fits = (transport: SipTransport): boolean =>
    hop.transport === undefined
      ? search.transports.includes(transport) && (!hop.secure || isSecure(transport))
      : transport === hop.transport;
  if (hop.transport === undefined) {
    const pointed = await pointersOf(search, hop.host, fits);
    if (pointed.length > 0) return pointed;
  }
  return prefixes
    .filter(([transport]) => fits(transport))
    .map(([transport, prefix]) => [transport, `${prefix}${hop.host}`] as const);
}

/** 4.1: what NAPTR says, by order and preference; services that are not ours are left out. */
async function pointersOf(
  { names }: Search,
  host: string,
  fits: (transport: SipTransport) => boolean,
): Promise<(readonly [SipTransport, string])[]> {
  const records = [...(await names.naptr(host))];
  records.sort((a, b) => a.order - b.order || a.preference - b.preference);
  const pointed: (readonly [SipTransport, string])[] = [];
  for (const { flags, service, replacement } of records) {
    const transport = services.get(service.toUpperCase());
    if (flags.toLowerCase() !== 's' || transport === undefined || !fits(transport)) continue;
    pointed.push([transport, replacement]);
    if (pointed.length === branchesMax) break;
  }
  return pointed;
}

async function addServers(
  { names, random, targetsMax }: Search,
  transport: SipTransport,
  records: readonly SrvRecord[],
  found: Target[],
): Promise<void> {
  for (const { name, port } of orderServers(records, random).slice(0, targetsMax)) {
    // RFC 2782: a target of `.` says that there is no such service.
    if (name === '' || name === '.') continue;
    for (const address of await names.addresses(name)) {
      if (found.length === targetsMax) return;
      found.push({ address, port, transport });
    }
  }
}

async function byAddress({ names, targetsMax }: Search, hop: NextHop): Promise<readonly Target[]> {
  const addresses = await names.addresses(hop.host);
  return addresses.slice(0, targetsMax).map((address) => targetOf(hop, address));
}

/** RFC 2782: by priority, and drawn by weight within one priority. */
export function orderServers(records: readonly SrvRecord[], random: Random): SrvRecord[] {
  const ordered: SrvRecord[] = [];
  // Those without weight first, so that they have a chance at all.
  const sorted = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  for (let from = 0; from < sorted.length;) {
    const { priority } = sorted[from]!;
    let to = from;
    while (sorted[to]?.priority === priority) to++;
    const rest = sorted.slice(from, Math.min(to, from + serversMax));
    while (rest.length > 0) ordered.push(...rest.splice(drawn(rest, random), 1));
    from = to;
  }
  return ordered;
}

/** Records of one priority that are looked at. */
const serversMax = 64;

/** The number of one of the records, drawn by weight. */
function drawn(records: readonly SrvRecord[], random: Random): number {
  let total = 0;
  for (const { weight } of records) total += weight;
  const mark = Math.floor(fraction(random) * (total + 1));
  let sum = 0;
  for (const [at, { weight }] of records.entries()) {
    sum += weight;
    if (sum >= mark) return at;
  }
  return records.length - 1;
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** From 0 to less than 1. */
function fraction(random: Random): number {
  let value = 0;
  for (const character of random.token(6)) {
    value = (value + Math.max(0, digits.indexOf(character))) / digits.length;
  }
  return value;
}

function isSecure(transport: SipTransport): boolean {
  return transport === 'tls' || transport === 'wss';
}
