/** The users of a conference as one subscription knows them, and what it has to be told next. */

import type { ConferenceUser, Roster, UserStatus } from './facts.js';
import { addSerial, difference, firstSerials, noSerials, removeSerial } from './serial-set.js';

/**
 * In the order in which they are told: a client has seen what was delivered, but nobody else tells
 * it what was not. Pending messages come last, and are no news.
 */
const statuses: readonly UserStatus[] = [
  '404',
  '488',
  '413',
  '480',
  'booted',
  'connected',
  'dialing-out',
  'departed',
  'pending',
];

export const noUsers: Roster = {
  pending: noSerials,
  'dialing-out': noSerials,
  connected: noSerials,
  departed: noSerials,
  booted: noSerials,
  '404': noSerials,
  '413': noSerials,
  '480': noSerials,
  '488': noSerials,
};

export interface Told {
  /** In the order of their serials. */
  readonly users: readonly ConferenceUser[];
  /** What the subscriber knows after it. */
  readonly known: Roster;
}

/** At most `room` users: with `full` pending ones as well, else only those that have changed. */
export function usersToTell(
  known: Roster,
  roster: Roster,
  { room, full }: { readonly room: number; readonly full: boolean },
): Told {
  const found: ConferenceUser[] = [];
  let next = known;
  for (const status of statuses) {
    if (status === 'pending' && !full) break;
    const news = difference(roster[status], known[status]);
    for (const serial of firstSerials(news, room - found.length)) {
      found.push({ entity: serial, status });
      next = withStatus(next, serial, status);
    }
    if (found.length >= room) break;
  }
  found.sort((one, other) => (one.entity as number) - (other.entity as number));
  return { users: found, known: next };
}

/** Whether there is something that the subscriber has not been told. */
export function hasNews(known: Roster, roster: Roster): boolean {
  return statuses.some(
    (status) => status !== 'pending' && difference(roster[status], known[status]).length > 0,
  );
}

function withStatus(roster: Roster, serial: number, status: UserStatus): Roster {
  const changed: Record<UserStatus, Roster[UserStatus]> = { ...roster };
  for (const other of statuses) changed[other] = removeSerial(changed[other], serial);
  changed[status] = addSerial(changed[status], serial);
  return changed;
}
