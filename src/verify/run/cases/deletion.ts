/** Deletion by a URI list (D-31), and the report that is owed for it. */

import { parseCpim } from '../../../wire/cpim.js';
import { parseImdn } from '../../../wire/imdn.js';
import { WireError } from '../../../wire/error.js';
import type { SipRequest } from '../../../wire/sip/message.js';
import { writeUriList } from '../../../wire/xml/resource-lists.js';
import { counted, submit, subscribe } from '../acts.js';
import { clause, Unable, type Case, type Clause } from '../case.js';
import { namedIn } from '../inspection.js';
import { reportsElsewhere } from '../judge.js';
import { identity, imdnIdOf, imTag, outside, type Outgoing } from '../requests.js';
import { deleteUriOf } from '../settings.js';
import type { Stage } from '../stage.js';

const item = 'S1-DEL-LIST';
const gone: Clause = clause(
  item,
  'OMA IM 12.4.2.8',
  'a message that a list has deleted waits no more',
);
const reported: Clause = clause(
  item,
  'OMA IM 12.4.2.7, RFC 5438 8.2',
  'report "failed" of it to its sender, who asked for that',
);

export const deletionCases: readonly Case[] = [
  {
    name: 'deletion by a URI list',
    clauses: [gone, reported],
    async play(stage) {
      const subscription = await subscribe(stage);
      await submit(stage, { message: 0, kind: 'reports' });
      const notify = await counted(stage, subscription, 1);
      const [id] = notify ? namedIn(notify) : [];
      if (id === undefined) throw new Unable('the server has not told the Message-ID');
      stage.step('delete by a URI list');
      const { status } = await stage.ask(deletion(stage, id));
      if (status >= 300) {
        // How OMA's clients delete was not recovered; one way is enough.
        for (const clause of [gone, reported]) {
          stage.untried(clause, `it has another way to delete, or none (${status})`);
        }
        return;
      }
      stage.check(gone, (await counted(stage, subscription, 0)) !== undefined, 'it still waits');
      const imdn = await stage.next('message', ({ request }) => isFailure(stage, request));
      const isElsewhere = imdn === undefined && stage.settings.credentials !== undefined;
      if (isElsewhere) stage.unknown(reported, reportsElsewhere);
      else stage.check(reported, imdn !== undefined, 'no report');
    },
  },
];

function deletion({ cast }: Stage, id: string): Outgoing {
  const { settings, user } = cast;
  const uri = deleteUriOf(settings);
  return {
    ...outside(cast, uri, user, uri),
    method: 'MESSAGE',
    headers: [
      ...identity(cast, user),
      ['Accept-Contact', `*;${imTag}`],
      ['Require', 'recipient-list-message'],
      ['Content-Type', 'application/resource-lists+xml'],
      ['Content-Disposition', 'recipient-list'],
    ],
    body: writeUriList([id]),
  };
}

function isFailure({ cast }: Stage, { body }: SipRequest): boolean {
  try {
    const imdn = parseImdn(parseCpim(body).body);
    return imdn.messageId === imdnIdOf(cast, 0) && imdn.status === 'failed';
  } catch (error) {
    // Another MESSAGE than a report.
    if (error instanceof WireError) return false;
    throw error;
  }
}
