/** NAPTR, SRV and addresses from a table, and what is remembered of them (RFC 3263, RFC 2782). */

import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/clock.js';
import { systemRandom } from '../../../src/system.js';
import { createLocator, orderServers } from '../../../src/transport/sip/locate.js';
import type { LocateOptions } from '../../../src/transport/sip/locate.js';
import type { NameSource, NaptrRecord } from '../../../src/transport/sip/name-records.js';
import { nextHopOf } from '../../../src/transport/sip/next-hop.js';
import type { Target } from '../../../src/transport/sip/resolve.js';

interface Table {
  readonly naptr?: Record<string, readonly NaptrRecord[]>;
  /** priority, weight, port, name */
  readonly srv?: Record<string, readonly (readonly [number, number, number, string])[]>;
  readonly addresses?: Record<string, readonly string[]>;
}

/** A source that knows the table only, and what it was asked. */
function sourceOf(table: Table): { names: NameSource; asked: string[] } {
  const asked: string[] = [];
  const find = <T>(kind: string, rows: Record<string, T> | undefined, name: string): Promise<T> => {
    asked.push(`${kind} ${name}`);
    const found = rows?.[name];
    return found ? Promise.resolve(found) : Promise.reject(new Error('ENOTFOUND'));
  };
  const names: NameSource = {
    naptr: (name) => find('naptr', table.naptr, name),
    srv: async (name) =>
      (await find('srv', table.srv, name)).map(([priority, weight, port, target]) => ({
        ...{ priority, weight, port },
        name: target,
      })),
    addresses: (name) => find('addresses', table.addresses, name),
  };
  return { names, asked };
}

function locator(table: Table, options: Partial<LocateOptions> = {}) {
  const clock = new ManualClock();
  const source = sourceOf(table);
  const resolve = createLocator({ clock, random: systemRandom, names: source.names, ...options });
  const locate = async (uri: string): Promise<string[]> =>
    (await resolve(nextHopOf(uri)!)).map(brief);
  return { ...source, clock, resolve, locate };
}

function brief({ transport, address, port }: Target): string {
  return `${transport ?? 'any'} ${address}:${port}`;
}

const naptr = (order: number, service: string, replacement: string, flags = 's'): NaptrRecord => ({
  ...{ order, preference: 0, flags, service, replacement },
});

const host = { 'a.example': ['192.0.2.1'], 'b.example': ['192.0.2.2', '2001:db8::2'] };

describe('TP-05: without a look-up', () => {
  test.each([
    ['sip:192.0.2.9', 'any 192.0.2.9:5060'],
    ['sip:192.0.2.9:5070', 'any 192.0.2.9:5070'],
    ['sip:[2001:db8::9];transport=tcp', 'tcp 2001:db8::9:5060'],
    ['sips:192.0.2.9', 'tls 192.0.2.9:5061'],
    ['sip:192.0.2.9;transport=tls', 'tls 192.0.2.9:5061'],
    ['sip:192.0.2.9;transport=ws', 'ws 192.0.2.9:80'],
    ['sips:192.0.2.9;transport=ws', 'wss 192.0.2.9:443'],
    ['sip:x.example;maddr=192.0.2.9', 'any 192.0.2.9:5060'],
  ])('%s: %s', (uri, expected) => {
    const { resolve, asked } = locator({});
    expect((resolve(nextHopOf(uri)!) as Target[]).map(brief)).toEqual([expected]);
    expect(asked).toEqual([]);
  });
});

describe('TP-05: names', () => {
  test('a port that is given: addresses only', async () => {
    const { locate, asked } = locator({ addresses: host });
    expect(await locate('sip:b.example:5070')).toEqual([
      'any 192.0.2.2:5070',
      'any 2001:db8::2:5070',
    ]);
    expect(asked).toEqual(['addresses b.example']);
  });

  test('the names of the host itself are asked for as addresses only', async () => {
    const { locate, asked } = locator({ addresses: { localhost: ['127.0.0.1'] } });
    expect(await locate('sip:localhost')).toEqual(['any 127.0.0.1:5060']);
    expect(asked).toEqual(['addresses localhost']);
  });

  test('NAPTR by order and preference, services that are not ours left out', async () => {
    const { locate, asked } = locator({
      naptr: {
        'x.example': [
          naptr(50, 'SIP+D2U', '_sip._udp.x.example'),
          naptr(20, 'SIP+D2S', '_sip._sctp.x.example'),
          naptr(10, 'E2U+sip', 'ignored', 'u'),
          naptr(30, 'sips+d2t', '_sips._tcp.x.example', 'S'),
        ],
      },
      srv: {
        '_sips._tcp.x.example': [[1, 0, 5061, 'a.example']],
        '_sip._udp.x.example': [[1, 0, 5062, 'b.example']],
      },
      addresses: host,
    });
    expect(await locate('sip:x.example')).toEqual([
      'tls 192.0.2.1:5061',
      'udp 192.0.2.2:5062',
      'udp 2001:db8::2:5062',
    ]);
    expect(asked.filter((one) => one.startsWith('srv'))).toHaveLength(2);
    expect(await locate('sips:x.example')).toEqual(['tls 192.0.2.1:5061']);
  });

  test('without NAPTR the SRV of each transport, of a sips URI that of TLS only', async () => {
    const srv = {
      '_sip._udp.x.example': [[1, 0, 5060, 'a.example']],
      '_sip._tcp.x.example': [[1, 0, 5070, 'a.example']],
      '_sips._tcp.x.example': [[1, 0, 5071, 'a.example']],
    } as const;
    const { locate, asked } = locator({ srv, addresses: host });
    expect(await locate('sip:x.example')).toEqual([
      'udp 192.0.2.1:5060',
      'tcp 192.0.2.1:5070',
      'tls 192.0.2.1:5071',
    ]);
    expect(await locate('sips:x.example')).toEqual(['tls 192.0.2.1:5071']);
    const before = asked.length;
    expect(await locate('sip:x.example;transport=tcp')).toEqual(['tcp 192.0.2.1:5070']);
    expect(asked).toHaveLength(before);
  });

  test('without any SRV the addresses, at the port of the transport', async () => {
    const { locate } = locator({ addresses: host });
    expect(await locate('sip:a.example')).toEqual(['any 192.0.2.1:5060']);
    expect(await locate('sips:a.example')).toEqual(['tls 192.0.2.1:5061']);
    expect(await locate('sip:a.example;transport=tcp')).toEqual(['tcp 192.0.2.1:5060']);
  });

  test('a name that is not there has no targets; a target of "." says there is no service', async () => {
    expect(await locator({}).locate('sip:nowhere.example')).toEqual([]);
    const srv = { '_sip._udp.x.example': [[0, 0, 0, '.']] } as const;
    expect(await locator({ srv }).locate('sip:x.example;transport=udp')).toEqual([]);
  });

  test('the targets are bounded', async () => {
    const many = Array.from({ length: 500 }, (_, n) => `192.0.2.${n % 250}`);
    const servers = Array.from({ length: 500 }, (_, n) => [1, n, 5060, 'm.example'] as const);
    const table = {
      srv: { '_sip._udp.x.example': servers },
      addresses: { 'm.example': many, 'y.example': many },
    };
    const { locate, asked } = locator(table, { targetsMax: 5 });
    expect(await locate('sip:x.example')).toHaveLength(5);
    expect(await locate('sip:y.example:5060')).toHaveLength(5);
    expect(asked.filter((one) => one.startsWith('addresses'))).toHaveLength(2);
  });
});

describe('RFC 2782', () => {
  test('priorities stand in order', () => {
    const records = [30, 10, 20].map((priority) => ({
      ...{ priority, weight: 1, port: 5060, name: `p${priority}` },
    }));
    const names = orderServers(records, systemRandom).map(({ name }) => name);
    expect(names).toEqual(['p10', 'p20', 'p30']);
  });

  test('within a priority the first is drawn by weight', () => {
    const records = [60, 30, 10, 0].map((weight) => ({
      ...{ priority: 1, weight, port: 5060, name: String(weight) },
    }));
    const firsts = new Map<string, number>();
    for (let n = 0; n < 20_000; n++) {
      const ordered = orderServers(records, systemRandom);
      expect(ordered).toHaveLength(4);
      const { name } = ordered[0]!;
      firsts.set(name, (firsts.get(name) ?? 0) + 1);
    }
    // 20,000 draws lie within ten standard deviations of what is expected.
    expect(Math.abs(firsts.get('60')! - 11_881)).toBeLessThan(700);
    expect(Math.abs(firsts.get('30')! - 5_941)).toBeLessThan(650);
    expect(Math.abs(firsts.get('10')! - 1_980)).toBeLessThan(430);
    expect(Math.abs(firsts.get('0')! - 198)).toBeLessThan(150);
  });
});

describe('what is remembered', () => {
  test('records for a while, their absence for a while', async () => {
    const limits = { keepMs: 30_000, keepAbsentMs: 10_000 };
    const { locate, asked, clock } = locator({ addresses: host }, { limits });
    const counted = async (uri: string): Promise<number> => {
      const before = asked.length;
      await locate(uri);
      return asked.length - before;
    };
    expect(await counted('sip:a.example:1')).toBe(1);
    expect(await counted('sip:A.EXAMPLE:1')).toBe(0);
    expect(await counted('sip:gone.example:1')).toBe(1);
    clock.advance(9_999);
    expect(await counted('sip:gone.example:1')).toBe(0);
    clock.advance(1);
    expect(await counted('sip:gone.example:1')).toBe(1);
    clock.advance(19_999);
    expect(await counted('sip:a.example:1')).toBe(0);
    clock.advance(1);
    expect(await counted('sip:a.example:1')).toBe(1);
  });

  test('no more names than the bound', async () => {
    const { locate, asked } = locator({ addresses: host }, { limits: { names: 3 } });
    for (let n = 0; n < 5; n++) await locate(`sip:n${n}.example:1`);
    const before = asked.length;
    await locate('sip:n4.example:1');
    expect(asked).toHaveLength(before);
    await locate('sip:n0.example:1');
    expect(asked).toHaveLength(before + 1);
  });

  test('one question for all who ask at a time, and no more questions than the bound', async () => {
    const { locate, asked } = locator({ addresses: host }, { limits: { pending: 1 } });
    const [first, second, third] = await Promise.all([
      locate('sip:a.example:1'),
      locate('sip:a.example:2'),
      locate('sip:b.example:1'),
    ]);
    expect([first, second, third]).toEqual([['any 192.0.2.1:1'], ['any 192.0.2.1:2'], []]);
    expect(asked).toEqual(['addresses a.example']);
    expect(await locate('sip:b.example:1')).toHaveLength(2);
  });
});
