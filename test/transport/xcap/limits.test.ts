import { afterEach, describe, expect, test } from 'vitest';
import { parseHistoryList } from '../../../src/wire/xml/history.js';
import { MapAccounts } from './accounts.js';
import { startXcap } from './world.js';
import type { World } from './world.js';

const path = '/xcap/org.openmobilealliance.deferred-list/users/sip:tomas@example.net/deferred-list';
const head = (target = path, more = '') =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\n` +
  `X-3GPP-Asserted-Identity: "sip:tomas@example.net"\r\n${more}\r\n`;

let world: World;
afterEach(() => world.end());

describe('the XCAP server has bounds', () => {
  test('a document of many messages is sent page by page, as fast as it is read', async () => {
    const count = 20_000;
    world = await startXcap({}, new MapAccounts({ 'tomas@example.net': count }));
    const connection = world.connect();
    connection.socket.pause();
    connection.write(head());
    const pages = () => world.accounts.calls.filter((call) => call.startsWith('histories')).length;
    while (pages() < 2) await new Promise((resolve) => setImmediate(resolve));
    let before = -1;
    for (let still = 0; still < 200; still = pages() === before ? still + 1 : 0) {
      before = pages();
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Nobody reads: most of the store was not asked for.
    expect(before).toBeLessThan(count / 256 - 10);
    connection.socket.resume();
    const { body } = await connection.response();
    const references = [...body.matchAll(/history-reference="sip:(\d+)@/g)].map(
      ([, serial]) => serial,
    );
    expect(references).toHaveLength(count);
    expect(new Set(references).size).toBe(count);
    world.accounts.calls.length = 0;
    connection.write(
      head(
        `${path}/~~/history-list/history%5b@history-reference=%22sip:19999@s07.example.net%22%5d`,
      ),
    );
    expect(
      parseHistoryList(
        Buffer.from(
          `<history-list xmlns="urn:oma:xml:im:history-list">${(await connection.response()).body}</history-list>`,
        ),
      ),
    ).toHaveLength(1);
    expect(world.accounts.calls).toEqual(['summary', 'histories 19998 1']);
  });

  test('body, header section, connections of a peer, requests of a user', async () => {
    const limits = { bodyOctets: 100, headerOctets: 2_048, connectionsPerPeer: 2, rate: 3 };
    world = await startXcap({ limits });
    const one = world.connect();
    one.write(
      `${head().replace('GET', 'PUT').trimEnd()}\r\nContent-Type: a/b\r\nContent-Length: 101\r\n\r\n`,
    );
    expect((await one.response()).line).toBe('HTTP/1.1 413 Payload Too Large');
    const two = world.connect();
    two.write(head(path, `X: ${'x'.repeat(3_000)}\r\n`));
    expect((await two.response()).line).toBe('HTTP/1.1 431 Request Header Fields Too Large');
    await two.closed();
    const lines: string[] = [];
    const three = world.connect();
    for (let asked = 0; asked < 3; asked++) {
      three.write(head());
      lines.push((await three.response()).line);
    }
    expect(lines.at(-1)).toBe('HTTP/1.1 429 Too Many Requests');
    const crowd = [world.connect(), world.connect(), world.connect()];
    await crowd[2]!.closed();
    expect(world.server.counters()['xcap.connections.refused']).toBeGreaterThan(0);
  });

  test('a store that fails is 503 with Retry-After, and nothing of it is told', async () => {
    world = await startXcap();
    world.accounts.failure = Object.assign(new Error('disk /dev/x'), { code: 'STORE_UNAVAILABLE' });
    const connection = world.connect();
    connection.write(head());
    const { line, headers, body } = await connection.response();
    expect([line, body]).toEqual(['HTTP/1.1 503 Service Unavailable', '']);
    expect(headers).toContain('retry-after: 5');
    expect(world.logs).toEqual([
      {
        level: 'warn',
        fields: { code: 'STORE_UNAVAILABLE' },
        message: 'XCAP: the store cannot be asked',
      },
    ]);
    world.accounts.failure = new Error('ours');
    connection.write(head());
    expect((await connection.response()).line).toBe('HTTP/1.1 500 Internal Server Error');
  });

  test('a request that does not arrive is given up', async () => {
    world = await startXcap({ limits: { idleMs: 50 } });
    const connection = world.connect();
    connection.write('GET / HTTP/1.1\r\nHost:');
    await connection.closed();
  });
});
