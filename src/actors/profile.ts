/** A profile: what deployments expect of the server beyond the standard, as data (1.6). */

import type { ProfileFacts } from '../machines/events.js';
import { omaIm } from './profiles/oma-im.js';
import { rcsStandfw } from './profiles/rcs-standfw.js';

/** What the INVITE of a push begins with: that message itself, or a report, or neither in it. */
export type Beginning = 'carried' | 'notification' | 'announced' | 'any';

export interface Profile {
  /** How messages are delivered. */
  readonly delivery: ProfileFacts;
  /** Types that we send, as in accept-types of our descriptions. */
  readonly sentTypes: readonly string[];
  readonly invitation: {
    /** User part of our asserted identity and From; absent: that of the Deferred Function. */
    readonly identity: Readonly<Partial<Record<Beginning, string>>>;
    /** Whether Referred-By names the sender of the messages. */
    readonly referredBy: boolean;
    /** Header fields of the first message that the INVITE repeats. */
    readonly copied: readonly string[];
    readonly acceptContact: string;
  };
}

export type ProfileName = 'oma-im' | 'rcs-standfw';

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  'oma-im': omaIm,
  'rcs-standfw': rcsStandfw,
};
