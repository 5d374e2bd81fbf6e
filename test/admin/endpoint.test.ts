/** The listener of the administration: who may, how often, and what is shown to everybody. */

import { request } from 'node:https';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { settingsOf } from '../../src/config.js';
import { maskSecrets } from '../../src/settings/identity.js';
import { account, startAdmin, token } from './scene.js';
import type { AdminWorld } from './scene.js';

let world: AdminWorld | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const vector = (name: string): string =>
  fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));

test('nobody is let in without a token, whatever is asked', async () => {
  world = await startAdmin();
  const document = await world.ask('GET', '/openapi.json', { token: null });
  let refused = 0;
  for (const [path, operations] of Object.entries(document.body.paths)) {
    const url = path.replaceAll(/\{\w+\}/g, '1');
    for (const [method, operation] of Object.entries(operations)) {
      if (!operation.security) continue;
      const verb = method.toUpperCase();
      for (const given of [null, 'wrong-token-wrong', `${token}x`, '']) {
        const answer = await world.ask(verb, url, { token: given });
        expect([answer.status, answer.body.code]).toEqual([401, 'ADMIN_UNAUTHORISED']);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        refused++;
      }
    }
  }
  expect(refused).toBeGreaterThanOrEqual(4 * 13);
  const basic = { authorization: `Basic ${token}` };
  expect((await world.ask('GET', '/v1/accounts', { headers: basic })).status).toBe(401);
});

test('the document describes every route there is, and the codes it may answer', async () => {
  world = await startAdmin();
  const { body } = await world.ask('GET', '/openapi.json', { token: null });
  expect(body.openapi).toBe('3.1.0');
  const written = Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(written).toEqual(
    expect.arrayContaining([
      'GET /v1/accounts',
      'DELETE /v1/accounts/{aor}',
      'POST /v1/accounts/{aor}/push',
      'GET /metrics',
      'GET /healthz',
    ]),
  );
  const { requestBody, parameters, responses } = body.paths['/v1/accounts/{aor}']!['put']!;
  expect(requestBody.content['application/json']!.schema).toMatchObject({
    additionalProperties: false,
  });
  expect(parameters).toMatchObject([{ name: 'aor', in: 'path', required: true }]);
  expect(Object.keys(responses)).toEqual(
    expect.arrayContaining(['200', '201', '401', '409', '412', '429']),
  );
});

test('health is for everybody, metrics are not unless the settings say so', async () => {
  world = await startAdmin();
  const ask = (path: string) => world!.ask('GET', path, { token: null });
  expect((await ask('/healthz')).body).toEqual({ status: 'ok' });
  expect((await ask('/readyz')).body).toEqual({ status: 'ready' });
  expect((await ask('/metrics')).status).toBe(401);
  await world.end();
  world = await startAdmin({ admin: { openMetrics: true } });
  expect((await ask('/metrics')).status).toBe(200);
});

test('U15: metrics are collected when they are asked for', async () => {
  world = await startAdmin();
  const alice = await world.client('alice');
  const value = async (name: string) => {
    const { text } = await world!.ask('GET', '/metrics');
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  };
  const turns = await value('poste_restante_actors_turns_total');
  const commits = await value('poste_restante_store_commits_total');
  await alice.send('sip:bob@example.org', 'one');
  expect(await value('poste_restante_actors_turns_total')).toBeGreaterThan(turns);
  expect(await value('poste_restante_store_commits_total')).toBeGreaterThan(commits);
  expect(await value('poste_restante_actors_accounts')).toBe(1);
  expect(await value('poste_restante_store_pending_commits')).toBe(0);
  expect(await value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  const { text, headers } = await world.ask('GET', '/metrics');
  expect(headers.get('content-type')).toContain('text/plain');
  expect(text).not.toMatch(/bob|example\.org/);
});

test('an address that asks too often is told to slow down', async () => {
  world = await startAdmin({ admin: { requestsPerMinute: 5 } });
  const statuses: number[] = [];
  for (let asked = 0; asked < 7; asked++) {
    const { status, body, headers } = await world.ask('GET', '/v1/accounts', {
      token: 'guessing-it',
    });
    statuses.push(status);
    if (status !== 429) continue;
    expect(body.code).toBe('ADMIN_TOO_MANY');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
});

test('answers carry the header fields that browsers heed', async () => {
  world = await startAdmin();
  const { headers } = await world.ask('GET', '/healthz');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'self'");
});

/** Statuses of requests with the certificates of these clients, or without one. */
function asking(port: number) {
  return (name?: string, headers: Record<string, string> = {}) =>
    new Promise<number | undefined>((resolve, reject) => {
      const pair = name !== undefined && {
        cert: readFileSync(vector(`${name}.pem`)),
        key: readFileSync(vector(`${name}.key`)),
      };
      const at = { host: '127.0.0.1', port, path: '/v1/accounts', agent: false };
      const asked = request({ ...at, rejectUnauthorized: false, headers, ...pair }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode));
      });
      asked.on('error', reject).end();
    });
}

function mutualTls(clientNames?: readonly string[]) {
  const authorities = [vector('authority.pem')];
  return startAdmin({
    admin: {
      tokens: [{ name: 'tests', token }],
      ...(clientNames && { clientNames: [...clientNames] }),
      tls: { certificate: vector('server.pem'), key: vector('server.key'), authorities },
    },
  });
}

test('TLS: a certificate of our authorities needs no token, another one does', async () => {
  world = await mutualTls();
  const ask = asking(world.server.admin!.port);
  expect(await ask()).toBe(401);
  expect(await ask('proxy')).toBe(200);
  expect(await ask('stranger')).toBe(401);
  expect(await ask('expired')).toBe(401);
  expect(await ask(undefined, { authorization: `Bearer ${token}` })).toBe(200);
});

test('TLS: with clientNames only the certificates that are named count, whole', async () => {
  const certificate = new X509Certificate(readFileSync(vector('proxy.pem')));
  const [, name] = /(?:CN=|DNS:)([^,\n]+)/.exec(
    `${certificate.subject}\n${certificate.subjectAltName}`,
  )!;
  world = await mutualTls([name!.toUpperCase()]);
  expect(await asking(world.server.admin!.port)('proxy')).toBe(200);
  await world.end();
  world = await mutualTls([name!.slice(1), `x${name!}`]);
  const ask = asking(world.server.admin!.port);
  expect(await ask('proxy')).toBe(401);
  expect(await ask('proxy', { authorization: `Bearer ${token}` })).toBe(200);
});

test('settings: without anybody who may, or without TLS beyond loopback, there is no start', () => {
  const tokens = [{ name: 'a', token }];
  const refused = (admin: object) => {
    try {
      settingsOf({ admin });
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  expect(refused({})).toContain('nobody could be authorised');
  expect(refused({ tokens, host: '192.0.2.1' })).toContain('needs tls');
  expect(refused({ tokens: [{ name: 'a', token: 'short' }] })).toContain('16 to 1024');
  expect(refused({ tokens: [{ name: 'a' }] })).toContain('needs token or sha256');
  expect(refused({ tokens, port: 70_000 })).toContain('admin.port');
  expect(refused({ tokens })).toBeUndefined();
  const shown = JSON.stringify(settingsOf({ admin: { tokens } }), maskSecrets);
  expect(shown).not.toContain(token);
});

test('a port that is taken is told of with ADMIN_LISTEN, and nothing stays open', async () => {
  world = await startAdmin();
  const { port } = world.server.admin!;
  await expect(startAdmin({ admin: { port } })).rejects.toMatchObject({ code: 'ADMIN_LISTEN' });
  const none = { certificate: vector('server.pem'), key: vector('second.key') };
  await expect(startAdmin({ admin: { tls: none } })).rejects.toMatchObject({
    code: 'ADMIN_LISTEN',
  });
  expect((await world.ask('GET', account('bob@example.org'))).status).toBe(200);
});
