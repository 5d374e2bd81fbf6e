/** Plays one case, and leaves nothing behind. */

import { WireError } from '../../wire/error.js';
import { atMost } from './at-most.js';
import { Unable, type Case } from './case.js';
import { castOf } from './cast.js';
import { TesterEndpoint } from './endpoint.js';
import type { Check } from './judge.js';
import type { Playing } from './play.js';
import { senderRegistration } from './requests.js';
import { Stage } from './stage.js';
import type { Trial } from './trial.js';
import type { Result } from './verdicts.js';

const leaveMs = 500;

export function trialOfCase(one: Case): Trial {
  return { play: (playing) => play(playing, one), left: (why) => left(one, why, false) };
}

/** Something that it needs is not given. */
export function untried(one: Case, why: string): Result {
  return left(one, why, true);
}

function left({ name, clauses }: Case, why: string, isUntried: boolean): Result {
  const more = { step: 0, unknown: why, ...(isUntried && { untried: true as const }) };
  const checks = clauses.map((clause): Check => ({ ...clause, ...more }));
  return { steps: [name], played: { checks, heard: false, stopped: { step: 0, why } } };
}

async function play({ settings, user, trace, deadline }: Playing, one: Case): Promise<Result> {
  const endpoint = await TesterEndpoint.open(settings, user, trace);
  const stage = new Stage(castOf(settings, endpoint), endpoint, deadline);
  let why: string | undefined;
  try {
    await arrive(stage);
    await one.play(stage);
  } catch (error) {
    why = reasonOf(error);
  } finally {
    await atMost(stage.leave(), leaveMs);
    await endpoint.close();
  }
  const { checks, steps, heard } = stage;
  for (const clause of one.clauses) {
    if (!stage.isChecked(clause)) stage.unknown(clause, why ?? 'it was not come to that');
  }
  const stopped = why !== undefined && { stopped: { step: Math.max(0, steps.length - 1), why } };
  return { steps, played: { checks, heard, ...stopped } };
}

/** A sender with an account registers, for reports come to where he is. */
async function arrive(stage: Stage): Promise<void> {
  if (stage.settings.credentials === undefined) return;
  try {
    await stage.ask(senderRegistration(stage.cast, 600), { voice: 'sender' });
  } catch (error) {
    // A case that needs him says so itself.
    if (!(error instanceof Unable)) throw error;
  }
  stage.onLeave(() => stage.ask(senderRegistration(stage.cast, 0), { voice: 'sender' }));
}

/** What a target says that cannot be read ends the case, not the run. */
function reasonOf(error: unknown): string {
  if (error instanceof Unable) return error.why;
  if (error instanceof WireError) return `what came cannot be read: ${error.code}`;
  throw error;
}
