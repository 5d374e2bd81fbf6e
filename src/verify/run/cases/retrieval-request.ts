/** What a retrieval may say, and what it may not, beside the checks of the machines (S3, 5366). */

import type { SipResponse } from '../../../wire/sip/message.js';
import { accepted, hangUp, submit } from '../acts.js';
import { clause, type Case, type Clause } from '../case.js';
import * as requests from '../requests.js';
import type { Stage } from '../stage.js';

const ordered = 'IMSpec-DMT-S-007';
const step5 = 'OMA IM 11.3.1 step 5';
const without: Clause = clause(ordered, step5, '403 to INVITE without SDP');
const sending: Clause = clause(ordered, step5, '403 to INVITE with sendonly');
const session: Clause = clause(
  'IMSpec-DMT-S-006',
  'RFC 8866 6.7',
  '200 to INVITE with recvonly for the whole session',
);
const required: Clause = clause(
  'IMSpec-DMT-S-006',
  'RFC 3261 8.2.2.3',
  '420 to an option that nobody knows, and which it is',
);
const union: Clause = clause(
  'IMSpec-DMT-S-009',
  'RFC 5366 4.1, RFC 5363 4',
  '404 to a list that names no message in any of its parts',
);
const unknownOption = 'nobody-knows-this';

export const retrievalRequestCases: readonly Case[] = [
  {
    name: 'what a retrieval has to say',
    clauses: [without, sending, session, required, union],
    async play(stage) {
      await submit(stage, { message: 0, kind: 'plain' });
      await refused(stage, without, (plain) => ({
        ...{ ...plain, body: Buffer.alloc(0) },
        headers: plain.headers.filter(([name]) => name !== 'Content-Type'),
      }));
      await refused(stage, sending, (plain) => ({
        ...{ ...plain, body: replaced(plain.body, 'a=recvonly', 'a=sendonly') },
      }));
      await refusedOption(stage);
      await unknownLists(stage);
      const response = await invite(stage, 'retrieve, recvonly for the session', (plain) => ({
        ...plain,
        body: replaced(
          replaced(plain.body, 'a=recvonly\r\n', ''),
          't=0 0\r\n',
          't=0 0\r\na=recvonly\r\n',
        ),
      }));
      // S3 wants recvonly of both, and who reads it so refuses (D-65).
      if (response.status === 403) stage.untried(session, 'it wants recvonly for the media (403)');
      else stage.check(session, response.status === 200, told(response));
    },
  },
];

type Change = (plain: requests.Outgoing) => requests.Outgoing;

async function refused(stage: Stage, clause: Clause, change: Change): Promise<void> {
  const response = await invite(stage, clause.expected.replace(/^\d+ to /, ''), change);
  stage.check(clause, response.status === 403, told(response));
}

async function refusedOption(stage: Stage): Promise<void> {
  const response = await invite(stage, 'retrieve, unknown option', (plain) => ({
    ...plain,
    headers: [...plain.headers, ['Require', unknownOption]],
  }));
  const names = response.list('Unsupported').includes(unknownOption);
  stage.check(required, response.status === 420 && names, told(response));
}

/** LIST-02, D-68: none left is 404. */
async function unknownLists(stage: Stage): Promise<void> {
  const uris = ['sip:1@one.invalid', 'sip:2@two.invalid', 'sip:1@one.invalid'];
  const response = await invite(stage, 'retrieve what nobody has', (plain) => plain, uris);
  stage.check(union, response.status === 404, told(response));
}

/** Sends a retrieval that was changed; what it opens ends at once. */
async function invite(
  stage: Stage,
  what: string,
  change: Change,
  uris?: readonly string[],
): Promise<SipResponse> {
  stage.step(what);
  const owner = stage.name('retrieval');
  const path = stage.endpoint.media.reserve(owner);
  const response = await stage.ask(change(requests.retrieval(stage.cast, [], path, uris)), {
    owner,
  });
  if (response.status < 300) await hangUp(stage, owner);
  else stage.endpoint.media.release(owner);
  if ([401, 405, 407, 501].includes(response.status)) {
    accepted(stage, { do: 'retrieve', faults: ['media'] }, response, 'INVITE');
  }
  return response;
}

function replaced(body: Buffer | undefined, from: string, to: string): Buffer {
  return Buffer.from(String(body).replace(from, to));
}

function told({ status, reason }: SipResponse): string {
  return `${status} ${reason}`.trim();
}
