import { describe, expect, test } from 'vitest';
import { contactOf, description, hostname, sdpType, withServer } from './sip-scene.js';

describe('CAP-03: Accept-Contact of a retrieval', () => {
  test.each([
    ['*;+g.oma.sip-im;require;explicit', 200],
    ['*;+g.oma.sip-im;automata;isfocus;require;explicit', 200],
    ['*;+g.oma.sip-im;methods="INVITE,BYE";require;explicit', 200],
    ['*;+g.oma.sip-im, *;video;require', 200],
    ['*;+g.oma.sip-im, *;video;require;explicit', 480],
    // S3 step 1 comes before any matching.
    ['*;video;require;explicit', 403],
  ])('%s is answered %i', (preference, status) =>
    withServer(async (scene) => {
      const response = await scene.ask({
        method: 'INVITE',
        uri: `sip:Deferred@${hostname}`,
        headers: [contactOf(scene), ['Accept-Contact', preference], sdpType],
        body: description({}),
      });
      expect(response.status).toBe(status);
    }),
  );

  test('CAP-02: the compact form is the same', () =>
    withServer(async (scene) => {
      const headers = [contactOf(scene), ['a', '*;video;require;explicit'] as const, sdpType];
      const uri = `sip:Deferred@${hostname}`;
      const more = [...headers, ['a', '*;+g.oma.sip-im'] as const];
      const body = description({});
      expect((await scene.ask({ method: 'INVITE', uri, headers: more, body })).status).toBe(480);
    }));
});
