/** Operator policy on the wire: rules as data, read again without restart, and a port (S3 step 3). */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PolicyQuestion, PolicyVerdict } from '../../src/ports.js';
import { contactOf, description, hostname, sdpType, withServer } from './sip-scene.js';
import type { SipScene, Sketch } from './sip-scene.js';

const tomas = 'sip:tomas@example.org';

function write(
  { ask }: SipScene,
  { type = 'text/plain', ...more }: Partial<Sketch> & { type?: string } = {},
) {
  const headers = [['Content-Type', type]] as const;
  return ask({ method: 'MESSAGE', uri: tomas, headers, body: 'hi', ...more });
}

function retrieve(scene: SipScene) {
  return scene.ask({
    method: 'INVITE',
    uri: `sip:Deferred@${hostname}`,
    headers: [contactOf(scene), ['Accept-Contact', '*;+g.oma.sip-im'], sdpType],
    body: description({}),
  });
}

async function count({ world }: SipScene): Promise<number> {
  return (await world.server.accounts.summary('tomas@example.org')).messages;
}

test('S4-603-PM, D-11, U16: rules refuse by sender, recipient, content type and size', () =>
  withServer(
    async (scene) => {
      const eve = '<sip:Eve@spam.example>';
      const spam = await write(scene, { identity: eve });
      expect(spam.status).toBe(603);
      expect(spam.header('Warning')).toContain('Policy: not wanted');
      // A stranger is known by his From; the one exception stands before the rule.
      const from = `${eve};tag=e`;
      expect((await write(scene, { identity: undefined, from })).status).toBe(603);
      expect((await write(scene, { identity: '<sip:post@spam.example>' })).status).toBe(202);
      expect((await write(scene, { type: 'Video/MP4;x=y' })).status).toBe(415);
      const body = 'x'.repeat(2_000);
      expect((await write(scene, { body })).status).toBe(603);
      const uri = 'sip:closed@example.org';
      expect((await write(scene, { uri })).status).toBe(603);
      expect((await write(scene)).status).toBe(202);
      expect(await count(scene)).toBe(2);
      expect((await scene.world.server.counted())['actors.policy.refused']).toBe(5);
    },
    {},
    'udp',
    {
      policy: {
        rules: [
          { action: 'store', sender: ['sip:post@spam.example'] },
          { action: 'refuse', sender: ['*@spam.example'], reason: 'not wanted' },
          { action: 'refuse', contentType: ['video/*'], status: 415 },
          { action: 'refuse', method: ['MESSAGE'], minSize: 2_000 },
          { action: 'refuse', operation: 'store', recipient: ['closed@example.org'] },
        ],
      },
    },
  ));

test('D-60, D-62: policy is check 3 of a retrieval, and its answer says so', () =>
  withServer(
    async (scene) => {
      expect((await write(scene)).status).toBe(202);
      const refused = await retrieve(scene);
      expect(refused.status).toBe(403);
      expect(refused.header('Warning')).toContain('Policy: suspended');
    },
    {},
    'udp',
    { policy: { rules: [{ action: 'refuse', operation: 'retrieve', reason: 'suspended' }] } },
  ));

test('policy is read again without a restart, and what cannot be used changes nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'poste-policy-'));
  const file = join(directory, 'policy.yaml');
  const refuse = "- action: refuse\n  sender: ['tomas@example.org']\n";
  writeFileSync(file, '[]');
  try {
    await withServer(
      async (scene) => {
        const { server } = scene.world;
        expect((await write(scene)).status).toBe(202);
        writeFileSync(file, refuse);
        expect((await write(scene)).status).toBe(202);
        server.reload();
        expect((await write(scene)).status).toBe(603);
        writeFileSync(file, '- action: burn\n');
        expect(() => server.reload()).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
        expect((await write(scene)).status).toBe(603);
        server.reload({ policy: { rules: [] } });
        expect((await write(scene)).status).toBe(202);
      },
      {},
      'udp',
      { policy: { file } },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('U31: a port decides later: others are not held back, and one that fails is answered 503', () => {
  const asked: PolicyQuestion[] = [];
  let decide: (verdict: PolicyVerdict) => void = () => undefined;
  const judge = (question: PolicyQuestion): PolicyVerdict | Promise<PolicyVerdict> => {
    asked.push(question);
    if (question.account.startsWith('slow')) {
      return new Promise((resolve) => (decide = resolve));
    }
    if (question.account.startsWith('broken')) return Promise.reject(new Error('no answer'));
    if (question.account.startsWith('throws')) throw new Error('no answer');
    return { allowed: true };
  };
  return withServer(
    async (scene) => {
      scene.send({ method: 'MESSAGE', uri: 'sip:slow@example.org', callId: 'held', body: 'hi' });
      expect((await write(scene)).status).toBe(202);
      expect((await write(scene, { uri: 'sip:broken@example.org' })).status).toBe(503);
      const thrown = await write(scene, { uri: 'sip:throws@example.org' });
      expect([thrown.status, thrown.header('Retry-After')]).toEqual([503, '5']);
      decide({ allowed: false, reason: 'no', status: 200 });
      const { message } = await scene.arrival();
      expect(message).toMatchObject({ status: 603 }); // 200 would be a lie.
      expect(message.header('Call-ID')).toBe('held');
      const later = { method: 'MESSAGE', uri: 'sip:slow@example.org', callId: 'later', body: 'hi' };
      scene.send({ ...later, branch: 'later' });
      // Sent again meanwhile, it is one question, and has one answer.
      scene.send({ ...later, branch: 'later' });
      expect((await write(scene)).status).toBe(202);
      const questions = asked.filter(({ account }) => account === 'slow@example.org');
      expect(questions).toHaveLength(2);
      expect(await scene.world.server.accounts.summary('slow@example.org')).toMatchObject({
        messages: 0,
      });
      decide({ allowed: true });
      const { message: answer } = await scene.arrival();
      expect(answer).toMatchObject({ status: 202 });
      expect(answer.header('Call-ID')).toBe('later');
      expect(asked[1]).toMatchObject({
        operation: 'store',
        method: 'MESSAGE',
        identities: [tomas],
        account: 'tomas@example.org',
        contentType: 'text/plain',
      });
    },
    {},
    'udp',
    {},
    { policy: { judge } },
  );
});
