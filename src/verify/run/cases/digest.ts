/** Digest authentication: the challenge, wrong credentials, and the proof of the server (7616). */

import type { HeaderField, SipResponse } from '../../../wire/sip/message.js';
import { parseAuthenticationInfo, parseChallenge } from '../../../wire/sip/digest.js';
import { clause, Unable, type Case, type Clause } from '../case.js';
import { registration, type Outgoing } from '../requests.js';

const asks = 'AUTH-01';
const challenged: Clause = clause(
  asks,
  'RFC 3261 22.1, RFC 8760 2.6',
  '401 with qop, each algorithm once',
);
const refused: Clause = clause(asks, 'RFC 3261 22.1', '401 or 403 to a wrong password');
const taken: Clause = clause(asks, 'RFC 3261 22.2', '200 to the password');
const proof: Clause = clause('AUTH-02', 'RFC 7616 3.5', 'rspauth of who knows the password');

export const digestCases: readonly Case[] = [
  {
    name: 'digest authentication',
    clauses: [challenged, refused, taken, proof],
    lacks: ({ credentials }) => (credentials === undefined ? 'it needs --credentials' : undefined),
    async play(stage) {
      const { cast } = stage;
      const asked = { do: 'register', client: 'im' } as const;
      stage.step('register without credentials');
      const challenge = await stage.ask(registration(cast, asked), { voice: 'nobody' });
      if (challenge.status < 300) throw new Unable('it asks for no credentials');
      stage.check(challenged, isChallenge(challenge), described(challenge));
      stage.step('register with a wrong password');
      const wrong = withWrongPassword(registration(cast, asked), challenge, stage.endpoint.user);
      const answer = await stage.ask(wrong, { voice: 'nobody' });
      stage.check(refused, answer.status === 401 || answer.status === 403, described(answer));
      stage.step('register with the password');
      let isWrong = false;
      stage.endpoint.onUnproven = () => (isWrong = true);
      const registered = await stage.ask(registration(cast, asked)).catch((error: unknown) => {
        if (!isWrong) throw error;
        stage.check(proof, false, 'a wrong one');
        return undefined;
      });
      if (registered === undefined) return;
      const gone = { do: 'register', client: 'none' } as const;
      stage.onLeave(() => stage.ask(registration(cast, gone)));
      stage.check(taken, registered.status === 200, described(registered));
      // A wrong one has been refused above.
      if (hasProof(registered)) stage.check(proof, true);
      else stage.untried(proof, 'it sends none, which it need not');
    },
  },
];

/** RFC 8760 2.6: one realm, and each time another algorithm. */
function isChallenge(response: SipResponse): boolean {
  const challenges = challengesIn(response);
  const algorithms = new Set(challenges.map(({ algorithm }) => algorithm.toUpperCase()));
  return (
    (response.status === 401 || response.status === 407) &&
    challenges.length > 0 &&
    algorithms.size === challenges.length &&
    challenges.every(({ qop }) => qop.length > 0)
  );
}

function challengesIn(response: SipResponse) {
  const fields = [...response.fields('WWW-Authenticate'), ...response.fields('Proxy-Authenticate')];
  return fields.flatMap((value) => parseChallenge(value) ?? []);
}

function withWrongPassword(plain: Outgoing, response: SipResponse, user: string): Outgoing {
  const [challenge] = challengesIn(response);
  if (challenge === undefined) throw new Unable('the challenge cannot be read');
  const { realm, nonce, algorithm, opaque } = challenge;
  const digits = algorithm.toUpperCase() === 'MD5' ? 32 : 64;
  const params = [
    `username="${user}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${plain.uri}"`,
    `response="${'0'.repeat(digits)}"`,
    `algorithm=${algorithm}`,
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ...['cnonce="wrong"', 'nc=00000001', 'qop=auth'],
  ];
  const name = response.status === 407 ? 'Proxy-Authorization' : 'Authorization';
  const field: HeaderField = [name, `Digest ${params.join(', ')}`];
  return { ...plain, headers: [...plain.headers, field] };
}

function hasProof(response: SipResponse): boolean {
  const values = ['Authentication-Info', 'Proxy-Authentication-Info'].flatMap((name) =>
    response.fields(name),
  );
  return values.some((value) => parseAuthenticationInfo(value).rspauth !== undefined);
}

function described({ status, reason }: SipResponse): string {
  return `${status} ${reason}`.trim();
}
