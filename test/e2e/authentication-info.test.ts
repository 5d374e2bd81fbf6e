/** Answers to authenticated requests prove that the server knows the password (RFC 7616 3.5). */

import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { parseAuthenticationInfo, parseCredentials } from '../../src/wire/sip/digest.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { authorization } from '../actors/authentication-world.js';
import { World, bobs, challenges, credentials } from './identity-world.js';

let world: World;
afterEach(() => world.end());

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
const sketch = { method: 'REGISTER', uri: 'sip:example.org', to: 'sip:bob@example.org' } as const;

test.each(['auth', 'auth-int'] as const)('AUTH-02: rspauth with qop %s', async (qop) => {
  world = await new World({ credentials, digest: { qop: [qop] } }).start();
  const peer = await world.peer();
  const [challenge] = challenges(await peer.ask(sketch));
  const { method, uri } = sketch;
  const field = authorization(challenge!, { username: 'bob', ...bobs, method, uri, qop });
  const headers: HeaderField[] = [field];
  const answer = await peer.ask({ ...sketch, headers });
  expect(answer.status).toBe(200);
  const given = parseCredentials(field[1])!;
  const info = parseAuthenticationInfo(answer.header('Authentication-Info')!);
  expect(info).toMatchObject({ qop, cnonce: given.cnonce, nc: given.nc });
  // The empty method of an answer, and for auth-int its body.
  const entity = qop === 'auth-int' ? `:${sha(answer.body.toString('latin1'))}` : '';
  const first = sha(`bob:${given.realm}:${bobs.password}`);
  const { nonce, nc, cnonce } = given;
  const second = sha(`:${given.uri}${entity}`);
  expect(info.rspauth).toBe(sha(`${first}:${nonce}:${nc}:${cnonce}:${qop}:${second}`));
});

test('AUTH-02: refusals and answers to nobody prove nothing', async () => {
  world = await new World({ credentials }).start();
  const peer = await world.peer();
  expect((await peer.ask(sketch)).header('Authentication-Info')).toBeUndefined();
  const from = 'sip:alice@example.org';
  const refused = await peer.prove({ ...sketch, from, to: from });
  expect(refused.status).toBe(403);
  expect(refused.header('Authentication-Info')).toBeUndefined();
});
