/** What the actors are told of the settings, in the form in which they want it. */

import type { SummaryForm } from '../actors/notify.js';
import type { Settings } from '../config.js';
import type { Log, TurnTrace } from '../ports.js';

/** How message waiting is told (D-43, MWI-03). */
export function summaryForm({
  classes,
  headers,
}: Pick<Settings['messageWaiting'], 'classes' | 'headers'>): SummaryForm {
  return {
    classes: { 'Pager-Message': classes.pager, 'Multimedia-Message': classes.large },
    headers: new Set(headers.map((name) => name.toLowerCase())),
  };
}

/** D-67: at the level `debug` every step of every actor is in the log; what it was told is not. */
export function turnLog({ log: { level } }: Settings, log: Log): TurnTrace | undefined {
  if (level !== 'debug') return undefined;
  return {
    record: ({ account, told }) => {
      for (const { by, to, event } of told)
        log.debug({ account, by, to, event: event.type }, 'told');
    },
  };
}
